#include "bench/load/pinning.hpp"

#include <doctest/doctest.h>

#include <thread>

using namespace jessica::bench;

TEST_SUITE("bench.pinning") {
  TEST_CASE("a thread that stays on a core may use no other") {
    const auto before = usable_cores();
    REQUIRE_FALSE(before.empty());
    auto left = std::vector<int>{};
    std::jthread{[&] {
      if (stay_on(before.back()))
        left = usable_cores();
    }}.join();
    CHECK(left == std::vector<int>{before.back()});
    CHECK(usable_cores() == before);
  }

  TEST_CASE("without --pin nothing is pinned") {
    const auto before = usable_cores();
    auto how = settings{};
    how.pin = 0;
    const auto core = part_from_servers(how);
    REQUIRE(core.has_value());
    CHECK_FALSE(core->has_value());
    CHECK(usable_cores() == before);
  }

  TEST_CASE("a core that does not exist is refused") {
    CHECK_FALSE(stay_on(1000));
  }
}
