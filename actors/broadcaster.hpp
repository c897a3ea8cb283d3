// BROADCASTER: broadcasts from outside their channels. See protocol.hpp for the
// promises.
#pragma once

#include "actors/protocol.hpp"
#include "config/settings.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

namespace jessica::actors {

struct broadcaster_deps {
  hub_actor hub;
  std::vector<judge_actor> judges; ///< at least one
  reader_actor readers;
  config::realtime_settings limits;
};

struct broadcaster_state {
  broadcaster_deps deps;
  /// The second that counts, and what each caller sent in it.
  std::chrono::steady_clock::time_point second{};
  std::unordered_map<std::string, std::size_t> sent;
};

broadcaster_actor::behavior_type
broadcaster(broadcaster_actor::stateful_pointer<broadcaster_state> self,
            broadcaster_deps deps);

} // namespace jessica::actors
