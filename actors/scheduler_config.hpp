// How CAF schedules our actors, in the server and where the benches do without one.
#pragma once

#include <caf/actor_system_config.hpp>

namespace jessica::actors {

/// Measured best for few cores: one shared queue, and no actor keeps a worker for long.
struct scheduler_config : caf::actor_system_config {
  scheduler_config();
};

} // namespace jessica::actors
