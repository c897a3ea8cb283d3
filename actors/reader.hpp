// READER: asks row security on the chat's behalf, on a connection of its own.
#pragma once

#include "actors/protocol.hpp"
#include "storage/chat.hpp"
#include "storage/connection.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstddef>
#include <memory>

namespace jessica::actors {

struct reader_options {
  storage::endpoint database;
  storage::prompt_limits history;
};

struct reader_state {
  reader_options options;
  std::unique_ptr<storage::connection> db;
};

reader_actor::behavior_type reader(reader_actor::stateful_pointer<reader_state> self,
                                   reader_options options);

} // namespace jessica::actors
