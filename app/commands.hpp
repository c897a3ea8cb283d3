// The command line's commands.
#pragma once

#include "config/load.hpp"

#include <string>

namespace jessica::app {

/// What `jessica --help` prints.
[[nodiscard]] std::string usage();

/// Runs the command of a loaded command line and returns the process's exit code:
/// 0 done, 1 failed, 2 used wrongly.
[[nodiscard]] int run_command(const config::loaded& with);

} // namespace jessica::app
