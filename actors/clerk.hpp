// CLERK: carries out REST requests, on a connection of its own. See protocol.hpp.
#pragma once

#include "actors/protocol.hpp"
#include "storage/connection.hpp"
#include "storage/rest_run.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <functional>
#include <memory>

namespace jessica::actors {

/// Carries one request out, blocking.
using carry_out = std::function<result<rest_reply>(const rest_request& what,
                                                   const storage::rest_schema& schema)>;

/// Against the database, on one connection.
[[nodiscard]] carry_out carry_out_on(storage::endpoint database,
                                     storage::rest_limits limits);

struct clerk_state {
  carry_out run;
  catalog_actor catalog;
  storage::schema_snapshot schema;
};

/// Asks `catalog` for the schema first; requests wait until it has answered. Without a
/// schema they fail with unavailable, PGRST002.
clerk_actor::behavior_type clerk(clerk_actor::stateful_pointer<clerk_state> self,
                                 carry_out run, catalog_actor catalog);

} // namespace jessica::actors
