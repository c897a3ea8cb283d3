// MEMORY READER: asks row security about memories, on a connection of its own.
#pragma once

#include "actors/memory_messages.hpp"
#include "storage/connection.hpp"
#include "storage/endpoint.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <memory>
#include <string>

namespace jessica::actors {

struct memory_reader_options {
  storage::endpoint database;
  std::string language; ///< of texts: a text search configuration
};

struct memory_reader_state {
  memory_reader_options options;
  std::unique_ptr<storage::connection> db;
};

memory_reader_actor::behavior_type
memory_reader(memory_reader_actor::stateful_pointer<memory_reader_state> self,
              memory_reader_options options);

} // namespace jessica::actors
