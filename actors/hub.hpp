// HUB: which CHANNEL has which topics. See protocol.hpp for the promises.
#pragma once

#include "actors/protocol.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>

namespace jessica::actors {

struct hub_state {
  /// So many that topics seldom wait for each other, and few beside the sockets.
  static constexpr auto most_channels = std::size_t{64};

  hub_state() = default;
  hub_state(hub_state&&) = delete;
  /// CHANNELs end with their HUB: one that stayed would split its topics in two.
  ~hub_state();

  std::array<channel_actor, most_channels> channels; ///< by topic_hash; null: not made
  struct told_transaction {
    std::uint32_t xid = 0;
    std::chrono::steady_clock::time_point when;
  };
  std::deque<told_transaction> told; ///< of stored broadcasts, lately
};

hub_actor::behavior_type hub(hub_actor::stateful_pointer<hub_state> self);

} // namespace jessica::actors
