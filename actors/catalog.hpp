// CATALOG: REST's snapshot of the database's schema. See protocol.hpp.
#pragma once

#include "actors/protocol.hpp"
#include "storage/endpoint.hpp"
#include "storage/rest_schema.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace jessica::actors {

/// Reads the schema, blocking.
using read_schema =
    std::function<result<storage::schema_snapshot>(std::uint64_t version)>;

/// From the catalogs, each time on a connection of its own: it is done rarely.
[[nodiscard]] read_schema read_schema_of(storage::endpoint database);

struct catalog_deps {
  read_schema read;
  /// Who hears of new snapshots. Outlives the actor, and is touched by nobody else: the
  /// one that comes after it still knows whom to tell.
  std::shared_ptr<std::vector<clerk_actor>> followers;
};

struct catalog_state {
  catalog_deps deps;
  storage::schema_snapshot now;
  std::uint64_t version = 0;
  std::chrono::steady_clock::time_point read_at;
  bool due = false; ///< a schema_due is under way
};

catalog_actor::behavior_type
catalog(catalog_actor::stateful_pointer<catalog_state> self, catalog_deps deps);

} // namespace jessica::actors
