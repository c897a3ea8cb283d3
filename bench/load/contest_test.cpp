#include "bench/load/contest.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>

using namespace jessica::bench;

namespace {

relay_score score(std::uint64_t frames, std::chrono::microseconds cpu) {
  auto made = relay_score{};
  made.frames = frames;
  made.took = std::chrono::seconds{1};
  made.cpu = cpu;
  return made;
}

double value_of(const jessica::bench::round& in, std::string_view name) {
  const auto found = std::ranges::find(in, name, &measure::name);
  REQUIRE(found != in.end());
  return found->value;
}

} // namespace

TEST_SUITE("bench.contest") {
  TEST_CASE("the first contender is compared with each of the others") {
    const auto names = std::array<std::string, 3>{"a", "b", "c"};
    const auto scores = std::array{score(100, std::chrono::microseconds{200}),
                                   score(50, std::chrono::microseconds{200}),
                                   score(200, std::chrono::microseconds{200})};
    const auto all = compare(names, scores);
    CHECK(value_of(all, "a: server processor time for a frame") == doctest::Approx(2));
    CHECK(value_of(all, "c: frames delivered") == doctest::Approx(200));
    CHECK(value_of(all, "a / b: processor time for a frame") == doctest::Approx(0.5));
    CHECK(value_of(all, "a / c: processor time for a frame") == doctest::Approx(2));
    CHECK(value_of(all, "a / c: frames delivered") == doctest::Approx(0.5));
  }

  TEST_CASE("a contender that lost a frame fails the run") {
    const auto names = std::array<std::string, 2>{"a", "b"};
    auto scores = std::array{score(1, std::chrono::microseconds{1}),
                             score(1, std::chrono::microseconds{1})};
    CHECK(sound({"x", {}, {compare(names, scores)}}));
    scores[1].faults = 1;
    CHECK_FALSE(sound({"x", {}, {compare(names, scores)}}));
  }
}
