#include "bench/load/report.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <initializer_list>

using namespace jessica::bench;

namespace {

findings three_rounds() {
  auto what = findings{"walk", {{"steps", "9"}}, {}};
  for (const auto value : {30.0, 10.0, 25.0})
    what.rounds.push_back({{"speed", "1/s", value}, {"falls", "", 0, true}});
  return what;
}

} // namespace

TEST_SUITE("bench.report") {
  TEST_CASE("a measure is given by its median and extremes") {
    const auto text = json_of(three_rounds(), settings{});
    CHECK(text.contains(
        R"({"name":"speed","unit":"1/s","median":25,"min":10,"max":30})"));
    CHECK(text.contains(R"("steps":"9")"));
    CHECK(text.contains(R"("rounds":"3")"));
  }

  TEST_CASE("the median of an even number of rounds lies between the middle two") {
    auto what = three_rounds();
    what.rounds.pop_back();
    CHECK(json_of(what, settings{}).contains(R"("median":20,)"));
  }

  TEST_CASE("what must be zero decides whether a run is sound") {
    auto what = three_rounds();
    CHECK(sound(what));
    what.rounds.back().back().value = 1;
    CHECK_FALSE(sound(what));
  }

  TEST_CASE("a division by zero is null in JSON") {
    auto what = three_rounds();
    what.rounds = {{{"speed", "1/s", 1 / what.rounds[0][1].value}}};
    CHECK(json_of(what, settings{}).contains(R"("median":null)"));
  }

  TEST_CASE("percentiles are milliseconds under their names") {
    auto waits = histogram{};
    waits.record(std::chrono::milliseconds{3});
    auto one = round{};
    add_percentiles(one, "wait", waits, {50, 99});
    REQUIRE(one.size() == 2);
    CHECK(one[1].name == "wait p99");
    CHECK(one[1].unit == "ms");
    CHECK(one[1].value == doctest::Approx(3));
  }
}
