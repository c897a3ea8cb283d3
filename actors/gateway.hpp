// GATEWAY: who may ask the engine from outside of our chat. See gateway_messages.hpp.
#pragma once

#include "actors/gateway_messages.hpp"
#include "actors/memory_messages.hpp"
#include "config/settings.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>

namespace jessica::actors {

struct gateway_deps {
  std::shared_ptr<engines::text_generator> engine;
  config::gateway_settings limits;
  memory_actor memory = {}; ///< null: nothing is recalled
  std::chrono::milliseconds memory_timeout{300};
  embedder_actor embedder = {}; ///< null: nothing is embedded
};

struct gateway_state {
  gateway_deps deps;
  /// Places that are taken, by whom.
  std::unordered_map<std::uint64_t, std::optional<user_id>> running;
  std::unordered_map<user_id, std::size_t> of_user; ///< never 0
};

gateway_actor::behavior_type
gateway(gateway_actor::stateful_pointer<gateway_state> self, gateway_deps deps);

} // namespace jessica::actors
