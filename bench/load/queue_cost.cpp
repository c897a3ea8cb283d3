#include "bench/load/queue_cost.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

namespace jessica::bench {
namespace {

namespace fs = std::filesystem;

struct process_times {
  pid_t parent = 0;
  std::int64_t own = 0;   ///< ticks, user and kernel
  std::int64_t ended = 0; ///< the same of children that have ended
};

[[nodiscard]] std::optional<process_times> times_of(const fs::path& process) {
  auto file = std::ifstream{process / "stat"};
  auto text = std::string{};
  std::getline(file, text, '\0'); // nothing when the process has ended meanwhile
  // After the name, which may hold anything: state, parent, 9 numbers, then the times.
  const auto name_end = text.rfind(')');
  if (name_end == std::string::npos)
    return std::nullopt;
  auto rest = std::istringstream{text.substr(name_end + 1)};
  auto skipped = std::string{};
  auto found = process_times{};
  rest >> skipped >> found.parent;
  for (auto i = 0; i < 9; ++i)
    rest >> skipped;
  auto times = std::array<std::int64_t, 4>{}; // user, kernel, both of ended children
  for (auto& one : times)
    rest >> one;
  found.own = times[0] + times[1];
  found.ended = times[2] + times[3];
  return rest ? std::optional{found} : std::nullopt;
}

} // namespace

std::chrono::microseconds postgres_cpu(pid_t postmaster) {
  auto ticks = std::int64_t{0};
  if (const auto own = times_of(fs::path{"/proc"} / std::to_string(postmaster)))
    ticks += own->own + own->ended;
  auto broken = std::error_code{};
  for (const auto& entry : fs::directory_iterator{"/proc", broken})
    if (entry.path().filename().string().find_first_not_of("0123456789") ==
        std::string::npos)
      if (const auto one = times_of(entry.path()); one && one->parent == postmaster)
        ticks += one->own;
  return std::chrono::microseconds{ticks * std::micro::den / ::sysconf(_SC_CLK_TCK)};
}

cost_meter::cost_meter(pid_t postmaster) : postmaster_(postmaster), begun_(total()) {}

std::chrono::microseconds cost_meter::took() const {
  return total() - begun_;
}

std::chrono::microseconds cost_meter::total() const {
  auto used = rusage{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto of = [](const timeval& time) {
    return std::chrono::seconds{time.tv_sec} + std::chrono::microseconds{time.tv_usec};
  };
  return of(used.ru_utime) + of(used.ru_stime) + postgres_cpu(postmaster_);
}

} // namespace jessica::bench
