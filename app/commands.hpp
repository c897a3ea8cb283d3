// The command line's commands.
#pragma once

#include "config/load.hpp"

#include <string>
#include <vector>

namespace jessica::app {

/// What `jessica --help` prints; `about` narrows it to the commands that begin with its
/// first word, if any do.
[[nodiscard]] std::string usage(const std::vector<std::string>& about);

/// Runs the command of a loaded command line and returns the process's exit code:
/// 0 done, 1 failed, 2 used wrongly.
[[nodiscard]] int run_command(const config::loaded& with);

} // namespace jessica::app
