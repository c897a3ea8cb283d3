// CHANNEL: a share of the node's rooms. See protocol.hpp for the promises.
#pragma once

#include "actors/protocol.hpp"
#include "actors/room.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <unordered_map>

namespace jessica::actors {

struct channel_state {
  channel_state() = default;
  channel_state(channel_state&&) = delete;
  /// Members of a room hear of its end from their SESSIONs, which this tells. (Were it
  /// watched by all of them, each one's end would cost a walk through the watchers.)
  ~channel_state();

  std::unordered_map<room_number, room> rooms;
  /// By the names that the rooms themselves keep.
  std::unordered_map<topic_view, room_number, topic_hash> numbers;
};

channel_actor::behavior_type
channel(channel_actor::stateful_pointer<channel_state> self);

} // namespace jessica::actors
