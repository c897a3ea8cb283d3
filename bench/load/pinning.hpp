// Which cores the servers and the load generator run on.
#pragma once

#include "bench/load/settings.hpp"

#include <optional>
#include <vector>

namespace jessica::bench {

/// Those this process may run on, lowest first.
[[nodiscard]] std::vector<int> usable_cores();

/// This thread, and the threads and processes it starts from now on, stay on `core`.
/// Safe between fork and exec. Fails: errno says why.
[[nodiscard]] bool stay_on(int core) noexcept;

/// Where `--pin` asks for it and there are two cores: this thread moves to the second
/// of them. Returns the first, which is the servers'; nullopt: nothing is pinned. Main
/// thread, before others are started.
[[nodiscard]] result<std::optional<int>> part_from_servers(const settings& how);

} // namespace jessica::bench
