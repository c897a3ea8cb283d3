// `jessica up` and `jessica serve`: the server from first start to clean stop.
#pragma once

#include "config/settings.hpp"

namespace jessica::app {

/// Runs until SIGTERM or SIGINT; 0 after a clean stop, 1 when it could not start (the
/// cause is on standard error). Call from the main thread, before any other exists.
[[nodiscard]] int serve(const config::settings& settings);

} // namespace jessica::app
