// HUB: the node's map from topic to CHANNEL. See protocol.hpp for the promises.
#pragma once

#include "actors/protocol.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <unordered_map>

namespace jessica::actors {

struct topic_hash {
  [[nodiscard]] std::size_t operator()(const topic& what) const noexcept {
    return std::hash<std::string>{}(what.name) * 2 + (what.is_private ? 1 : 0);
  }
};

struct hub_state {
  struct entry {
    channel_actor channel;
    std::uint64_t forwarded = 0; ///< counted messages sent to it
  };
  hub_state() = default;
  hub_state(hub_state&&) = delete;
  /// CHANNELs end with their HUB: one that stayed would split its topic in two. (A link
  /// each would do the same, and cost a walk through all of them for each one's end.)
  ~hub_state();

  std::unordered_map<topic, entry, topic_hash> channels;
  struct told_transaction {
    std::uint32_t xid = 0;
    std::chrono::steady_clock::time_point when;
  };
  std::deque<told_transaction> told; ///< of stored broadcasts, lately
};

hub_actor::behavior_type hub(hub_actor::stateful_pointer<hub_state> self);

} // namespace jessica::actors
