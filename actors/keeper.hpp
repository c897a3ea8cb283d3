// KEEPER: the connection on which the node's lease lives.
#pragma once

#include "actors/protocol.hpp"
#include "storage/connection.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace jessica::actors {

struct keeper_options {
  storage::endpoint database;
  std::string node;
  std::chrono::seconds lease{10};
};

struct keeper_state {
  keeper_options options;
  std::unique_ptr<storage::connection> db;
  std::optional<std::chrono::steady_clock::time_point> broadcasts_tended;
};

keeper_actor::behavior_type keeper(keeper_actor::stateful_pointer<keeper_state> self,
                                   keeper_options options);

} // namespace jessica::actors
