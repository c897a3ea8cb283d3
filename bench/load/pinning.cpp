#include "bench/load/pinning.hpp"

#include <sched.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

namespace jessica::bench {

std::vector<int> usable_cores() {
  auto cores = std::vector<int>{};
  auto set = cpu_set_t{};
  if (::sched_getaffinity(0, sizeof set, &set) != 0)
    return cores;
  for (auto core = 0; core < CPU_SETSIZE; ++core)
    if (CPU_ISSET(static_cast<std::size_t>(core), &set))
      cores.push_back(core);
  return cores;
}

bool stay_on(int core) noexcept {
  auto set = cpu_set_t{};
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(core), &set);
  return ::sched_setaffinity(0, sizeof set, &set) == 0;
}

result<std::optional<int>> part_from_servers(const settings& how) {
  const auto cores = usable_cores();
  if (how.pin == 0 || cores.size() < 2)
    return std::nullopt;
  if (!stay_on(cores[1]))
    return fail(errc::unavailable, std::strerror(errno));
  return cores[0];
}

} // namespace jessica::bench
