#include "bench/load/pace_book.hpp"

#include <doctest/doctest.h>

#include <chrono>

using namespace jessica::bench;
using namespace std::chrono_literals;

namespace {

constexpr auto begun = pace_book::time_point{1h};

} // namespace

TEST_SUITE("bench.pace_book") {
  TEST_CASE("tokens that keep the pace are not late, whenever they began") {
    auto book = pace_book{100};
    auto late = histogram{};
    for (auto i = 0U; i < 20; ++i)
      book.take(i + 1, i + 1, begun + i * 10ms);
    book.settle(late);
    CHECK(late.count() == 20);
    CHECK(late.percentile(1) == 0ns);
  }

  TEST_CASE("a pause makes every token late that it has held up") {
    auto book = pace_book{100};
    auto late = histogram{};
    book.take(1, 1, begun);
    book.take(2, 5, begun + 40ms);
    book.settle(late);
    CHECK(late.count() == 5);
    CHECK(late.percentile(0.4) == 0ns); // the first and the last
    CHECK(late.percentile(0.6) >= 10ms);
    CHECK(late.percentile(0.6) < 11ms);
    CHECK(late.percentile(1) == 30ms);
  }

  TEST_CASE("a late beginning is late against the tokens that follow") {
    auto book = pace_book{10};
    auto late = histogram{};
    book.take(1, 1, begun + 70ms);
    book.take(2, 2, begun + 100ms);
    book.take(3, 3, begun + 200ms);
    book.settle(late);
    CHECK(late.percentile(0.6) == 0ns);
    CHECK(late.percentile(1) == 70ms);
  }

  TEST_CASE("streams are judged apart, and one that begins again is forgotten") {
    auto book = pace_book{10};
    auto late = histogram{};
    book.take(1, 1, begun);
    book.settle(late);
    book.take(1, 1, begun + 9s);
    book.clear();
    book.take(1, 1, begun + 20s);
    book.settle(late);
    book.settle(late);
    CHECK(late.count() == 2);
    CHECK(late.percentile(1) == 0ns);
  }

  TEST_CASE("numbers that make no sense are no tokens") {
    auto book = pace_book{10};
    auto late = histogram{};
    book.take(0, 3, begun);
    book.take(5, 4, begun);
    book.settle(late);
    CHECK(late.count() == 0);
  }
}
