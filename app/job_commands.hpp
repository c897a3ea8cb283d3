// jessica jobs: the queue from a terminal.
#pragma once

#include "config/settings.hpp"

#include <string>
#include <vector>

namespace jessica::app {

/// `words` is what follows the command's name. The exit code; problems go to stderr.
[[nodiscard]] int list_jobs(const config::settings& settings,
                            const std::vector<std::string>& words);
[[nodiscard]] int show_job(const config::settings& settings,
                           const std::vector<std::string>& words);
[[nodiscard]] int retry_jobs(const config::settings& settings,
                             const std::vector<std::string>& words);
[[nodiscard]] int cancel_jobs(const config::settings& settings,
                              const std::vector<std::string>& words);

} // namespace jessica::app
