#include "bench/load/queue_cost.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <ctime>

TEST_SUITE_BEGIN("bench.queue_cost");

namespace {

using namespace jessica::bench;
using namespace std::chrono_literals;

/// Uses so much processor time, however long that takes.
void burn(std::chrono::milliseconds time) {
  const auto used = [] {
    auto now = timespec{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec};
  };
  const auto begun = used();
  while (used() - begun < time) {
  }
}

/// Of what is burned a tick may be missing at either end.
constexpr auto burned = 100ms;
constexpr auto certain = 80ms;

} // namespace

TEST_CASE("a process is charged for itself and for children that have ended") {
  const auto before = postgres_cpu(::getpid());
  burn(burned);
  const auto alone = postgres_cpu(::getpid());
  CHECK(alone - before >= certain);
  const auto child = ::fork();
  if (child == 0) {
    burn(burned);
    ::_exit(0);
  }
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  CHECK(postgres_cpu(::getpid()) - alone >= certain);
}

TEST_CASE("a process is charged for children that run") {
  auto told = std::array<int, 2>{};
  REQUIRE(::pipe(told.data()) == 0);
  const auto before = postgres_cpu(::getpid());
  const auto child = ::fork();
  if (child == 0) {
    burn(burned);
    (void)!::write(told[1], "x", 1);
    ::pause();
    ::_exit(0);
  }
  auto byte = '\0';
  REQUIRE(::read(told[0], &byte, 1) == 1);
  CHECK(postgres_cpu(::getpid()) - before >= certain);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(told[0]);
  ::close(told[1]);
}

TEST_CASE("a meter counts our own time; a process that is not there costs nothing") {
  constexpr auto nobody = pid_t{-1};
  const auto meter = cost_meter{nobody};
  burn(burned);
  CHECK(meter.took() >= certain);
  CHECK(postgres_cpu(nobody) == 0us);
}

TEST_SUITE_END();
