#include "ops/thread_priority.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

namespace jessica::ops {
namespace {

[[nodiscard]] int niceness() {
  return ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()));
}

TEST_SUITE("ops.thread_priority") {

  TEST_CASE("one thread gives way, the others do not") {
    const auto before = niceness();
    auto then = before;
    std::jthread{[&] {
      give_way();
      then = niceness();
    }}.join();
    CHECK(then == std::min(before + 10, 19));
    CHECK(niceness() == before);
  }
}

} // namespace
} // namespace jessica::ops
