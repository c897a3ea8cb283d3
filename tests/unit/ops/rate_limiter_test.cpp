#include "ops/rate_limiter.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace jessica::ops {
namespace {

using namespace std::chrono_literals;

const auto start = rate_limiter::clock::time_point{} + 1h;

} // namespace

TEST_SUITE("ops.rate_limiter") {
  TEST_CASE("a bucket gives its burst at once and then as fast as it fills") {
    auto limit = rate_limiter{{.per_second = 2, .burst = 3}, 100};
    for (auto i = 0; i < 3; ++i)
      CHECK_FALSE(limit.take("a", start));
    CHECK(limit.take("a", start) == 500ms);
    CHECK(limit.take("a", start + 300ms) == 200ms);
    CHECK_FALSE(limit.take("a", start + 500ms));
    CHECK(limit.take("a", start + 500ms) == 500ms);
    for (auto i = 0; i < 3; ++i)
      CHECK_FALSE(limit.take("a", start + 1h));
    CHECK(limit.take("a", start + 1h));
  }

  TEST_CASE("keys do not know each other") {
    auto limit = rate_limiter{{.per_second = 1, .burst = 1}, 100};
    CHECK_FALSE(limit.take("a", start));
    CHECK(limit.take("a", start));
    CHECK_FALSE(limit.take("b", start));
  }

  TEST_CASE("what is given back can be taken again, and no more") {
    auto limit = rate_limiter{{.per_second = 1, .burst = 2}, 100};
    CHECK_FALSE(limit.take("a", start));
    limit.give_back("a");
    limit.give_back("a");
    limit.give_back("never seen");
    CHECK_FALSE(limit.take("a", start));
    CHECK_FALSE(limit.take("a", start));
    CHECK(limit.take("a", start));
  }

  TEST_CASE("a clock that goes backwards fills nothing") {
    auto limit = rate_limiter{{.per_second = 1, .burst = 1}, 100};
    CHECK_FALSE(limit.take("a", start));
    CHECK(limit.take("a", start - 1min));
    CHECK(limit.take("a", start) == 1s);
  }

  TEST_CASE("a flood of keys stays in its bound, and who keeps asking is remembered") {
    auto limit = rate_limiter{{.per_second = 0.001, .burst = 1}, 100};
    CHECK_FALSE(limit.take("guilty", start));
    for (auto i = 0; i < 10'000; ++i) {
      CHECK_FALSE(limit.take("k" + std::to_string(i), start));
      if (i % 20 == 0)
        CHECK(limit.take("guilty", start));
      REQUIRE(limit.size() <= 100);
    }
  }

  TEST_CASE("threads together get no more than one would") {
    auto limit = rate_limiter{{.per_second = 0.001, .burst = 50}, 100};
    auto got = std::atomic<int>{0};
    {
      auto threads = std::vector<std::jthread>{};
      for (auto t = 0; t < 4; ++t)
        threads.emplace_back([&] {
          for (auto i = 0; i < 50; ++i)
            got += limit.take("a", start) ? 0 : 1;
        });
    }
    CHECK(got == 50);
  }
}

} // namespace jessica::ops
