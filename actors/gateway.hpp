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
#include <string>
#include <unordered_map>
#include <vector>

namespace jessica::actors {

struct gateway_deps {
  std::shared_ptr<engines::text_generator> engine;
  config::gateway_settings limits;
  memory_actor memory = {}; ///< null: nothing is recalled
  std::chrono::milliseconds memory_timeout{300};
  embedder_actor embedder = {};     ///< null: nothing is embedded
  std::string embedding_model = {}; ///< its name
  meter_actor meter = {};           ///< null: nothing is limited or counted
  std::size_t usage_queue = 8192;   ///< counts that may wait for METER; more are lost
};

struct gateway_state {
  gateway_deps deps;
  struct place {
    std::optional<user_id> who;
    std::int64_t hold = 0; ///< of the user's quota
  };
  /// Those that are taken.
  std::unordered_map<std::uint64_t, place> running;
  std::unordered_map<user_id, std::size_t> of_user; ///< never 0
  /// What METER has not been told.
  std::vector<usage_spent> unspent;
  bool counting = false; ///< it is being told, or not yet to be told again
  bool limits = true;    ///< there may be some: METER is asked before the engine is
};

gateway_actor::behavior_type
gateway(gateway_actor::stateful_pointer<gateway_state> self, gateway_deps deps);

} // namespace jessica::actors
