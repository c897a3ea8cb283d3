// PORTER: opens lines and ends statements, blocking. See protocol.hpp.
#pragma once

#include "actors/protocol.hpp"
#include "storage/endpoint.hpp"
#include "storage/rest_line.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <functional>
#include <memory>

namespace jessica::actors {

/// Opens a line, blocking.
using make_line = std::function<result<std::shared_ptr<storage::rest_line>>()>;

/// To the database.
[[nodiscard]] make_line lines_to(storage::endpoint database,
                                 storage::rest_limits limits);

porter_actor::behavior_type porter(porter_actor::pointer self, make_line open);

} // namespace jessica::actors
