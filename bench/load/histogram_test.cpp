#include "bench/load/histogram.hpp"

#include <doctest/doctest.h>

#include <initializer_list>

using namespace jessica::bench;
using std::chrono::nanoseconds;

TEST_SUITE("bench.histogram") {
  TEST_CASE("without samples every percentile is zero") {
    CHECK(histogram{}.percentile(0.5) == nanoseconds{0});
    CHECK(histogram{}.percentile(1) == nanoseconds{0});
  }

  TEST_CASE("small durations are exact") {
    auto all = histogram{};
    for (auto i = 1; i <= 100; ++i)
      all.record(nanoseconds{i});
    CHECK(all.count() == 100);
    CHECK(all.percentile(0) == nanoseconds{1});
    CHECK(all.percentile(0.5) == nanoseconds{50});
    CHECK(all.percentile(0.99) == nanoseconds{99});
    CHECK(all.percentile(1) == nanoseconds{100});
  }

  TEST_CASE("a large duration is never reported smaller and at most 1/64 larger") {
    for (const auto value :
         {127LL, 128LL, 129LL, 255LL, 256LL, 1'000'003LL, 7'654'321'098LL, 1LL << 40}) {
      auto all = histogram{};
      all.record(nanoseconds{value});
      all.record(nanoseconds{value * 2});
      const auto median = all.percentile(0.5).count();
      CAPTURE(value);
      CHECK(median >= value);
      CHECK(median <= value + value / 64);
    }
  }

  TEST_CASE("no percentile exceeds the largest sample") {
    auto all = histogram{};
    all.record(nanoseconds{1'000'001});
    CHECK(all.percentile(0.99) == nanoseconds{1'000'001});
  }

  TEST_CASE("a negative duration counts as zero") {
    auto all = histogram{};
    all.record(nanoseconds{-5});
    CHECK(all.count() == 1);
    CHECK(all.percentile(1) == nanoseconds{0});
  }
}
