#include "bench/load/process.hpp"

#include "bench/load/descriptor.hpp"
#include "bench/load/pinning.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <format>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

namespace jessica::bench {
namespace {

constexpr auto look_every = std::chrono::milliseconds{10};

[[nodiscard]] std::string text_of(const std::filesystem::path& file) {
  auto in = std::ifstream{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

[[nodiscard]] std::string tail_of(const std::filesystem::path& file) {
  constexpr auto enough = std::size_t{2000};
  auto text = text_of(file);
  return text.size() > enough ? text.substr(text.size() - enough) : text;
}

/// In the child, between fork and exec.
[[noreturn]] void become(const std::vector<char*>& arguments, int log,
                         std::optional<int> core) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  if (core && !stay_on(*core)) {
    ::dprintf(STDERR_FILENO, "cannot stay on core %d: %s\n", *core,
              std::strerror(errno));
    ::_exit(127);
  }
  ::execvp(arguments.front(), arguments.data());
  ::dprintf(STDERR_FILENO, "cannot run %s: %s\n", arguments.front(),
            std::strerror(errno));
  ::_exit(127);
}

} // namespace

result<process> process::start(const std::vector<std::string>& command,
                               std::filesystem::path log, std::optional<int> core) {
  constexpr auto owner_only = mode_t{0600};
  const auto out = descriptor{
      ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, owner_only)};
  if (!out)
    return fail(errc::unavailable,
                std::format("{}: {}", log.string(), std::strerror(errno)));
  auto arguments = std::vector<char*>{};
  for (const auto& one : command)
    arguments.push_back(const_cast<char*>(one.c_str()));
  arguments.push_back(nullptr);
  const auto id = ::fork();
  if (id < 0)
    return fail(errc::unavailable, std::strerror(errno));
  if (id == 0)
    become(arguments, out.number(), core);
  return process{id, std::move(log)};
}

result<std::string> process::wait_for(std::string_view words,
                                      std::chrono::seconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  for (;;) {
    const auto over = ended();
    auto lines = std::istringstream{text_of(log_)};
    for (auto line = std::string{}; std::getline(lines, line) && !lines.eof();)
      if (line.contains(words))
        return line;
    if (over)
      return fail(errc::unavailable, "the server ended:\n" + tail_of(log_));
    if (std::chrono::steady_clock::now() > end)
      return fail(errc::timeout, "the server did not get ready:\n" + tail_of(log_));
    std::this_thread::sleep_for(look_every);
  }
}

bool process::ended() noexcept {
  auto status = 0;
  if (id_ != 0 && ::waitpid(id_, &status, WNOHANG) == id_)
    id_ = 0;
  return id_ == 0;
}

std::chrono::microseconds process::cpu_time() const {
  const auto stat = text_of(std::format("/proc/{}/stat", id_));
  // After the name, which may hold anything: state and 10 numbers, then utime, stime.
  auto rest = std::istringstream{stat.substr(stat.rfind(')') + 1)};
  constexpr auto before_utime = 11;
  auto skipped = std::string{};
  for (auto i = 0; i < before_utime; ++i)
    rest >> skipped;
  auto user = std::int64_t{0};
  auto kernel = std::int64_t{0};
  rest >> user >> kernel;
  constexpr auto micros = std::int64_t{1'000'000};
  return std::chrono::microseconds{(user + kernel) * micros / ::sysconf(_SC_CLK_TCK)};
}

std::uint64_t process::resident_bytes() const {
  auto rollup = std::ifstream{std::format("/proc/{}/smaps_rollup", id_)};
  for (auto word = std::string{}; rollup >> word;) {
    constexpr auto kib = std::uint64_t{1024};
    auto amount = std::uint64_t{0};
    if (word == "Rss:" && rollup >> amount)
      return amount * kib;
  }
  return 0;
}

void process::stop() noexcept {
  constexpr auto patience = std::chrono::seconds{60};
  if (ended())
    return;
  ::kill(id_, SIGTERM);
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!ended() && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(look_every);
  if (id_ == 0)
    return;
  ::kill(id_, SIGKILL);
  ::waitpid(id_, nullptr, 0);
  id_ = 0;
}

} // namespace jessica::bench
