// TELLER: quotas and usage of what is no job, on a connection of its own.
#pragma once

#include "actors/quota_messages.hpp"
#include "storage/connection.hpp"
#include "storage/endpoint.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <memory>

namespace jessica::actors {

struct teller_state {
  std::unique_ptr<storage::connection> db;
};

teller_actor::behavior_type teller(teller_actor::stateful_pointer<teller_state> self,
                                   storage::endpoint database);

} // namespace jessica::actors
