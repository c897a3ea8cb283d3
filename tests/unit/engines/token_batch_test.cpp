#include "engines/pooling.hpp"
#include "engines/token_batch.hpp"
#include "engines/unit_vector.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

using namespace jessica::engines;

namespace {

using ids = std::vector<token_id>;
using numbers = std::vector<float>;

[[nodiscard]] std::vector<ids> of_lengths(const std::vector<std::size_t>& lengths) {
  auto made = std::vector<ids>{};
  for (const auto one : lengths)
    made.emplace_back(one, token_id{7});
  return made;
}

} // namespace

TEST_SUITE("engines.token_batch") {
  TEST_CASE("texts of like length share a batch, each text is in one") {
    const auto texts = of_lengths({9, 1, 8, 2, 0});
    const auto found = plan_batches(texts, {2, 100});
    CHECK(found == std::vector<std::vector<std::size_t>>{{4, 1}, {3, 2}, {0}});
  }

  TEST_CASE("padding counts against the limit, a longer text is alone") {
    const auto texts = of_lengths({100, 30, 30, 30, 200});
    CHECK(plan_batches(texts, {32, 90}) ==
          std::vector<std::vector<std::size_t>>{{1, 2, 3}, {0}, {4}});
    CHECK(plan_batches({}, {32, 90}).empty());
  }

  TEST_CASE("rows are filled up on the right and masked there") {
    const auto texts = std::vector<ids>{{1, 2, 3}, {4}, {}};
    const auto chosen = std::vector<std::size_t>{1, 0};
    const auto found = padded(texts, chosen, 9);
    CHECK(found.rows == 2);
    CHECK(found.columns == 3);
    CHECK(found.ids == ids{4, 9, 9, 1, 2, 3});
    CHECK(found.mask == ids{1, 0, 0, 1, 1, 1});
    const auto empty = std::vector<std::size_t>{2};
    CHECK(padded(texts, empty, 9).ids == ids{9});
    CHECK(padded(texts, empty, 9).mask == ids{0});
  }
}

TEST_SUITE("engines.pooling") {
  TEST_CASE("each way takes the tokens and leaves the padding") {
    const auto batch = token_batch{2, 3, ids(6), {1, 1, 0, 1, 1, 1}};
    const auto values = numbers{1, 10, 3, -10, 99, 99, 0, 3, 6, 3, 3, 9};
    const auto of = [&](pooling how) { return pool(values, batch, 2, how); };
    CHECK(of(pooling::mean) == std::vector<numbers>{{2, 0}, {3, 5}});
    CHECK(of(pooling::cls) == std::vector<numbers>{{1, 10}, {0, 3}});
    CHECK(of(pooling::max) == std::vector<numbers>{{3, 10}, {6, 9}});
    CHECK(of(pooling::last) == std::vector<numbers>{{3, -10}, {3, 9}});
  }

  TEST_CASE("a maximum below zero is no zero") {
    const auto batch = token_batch{1, 2, ids(2), {1, 0}};
    CHECK(pool(numbers{-2, -3, 5, 5}, batch, 2, pooling::max) ==
          std::vector<numbers>{{-2, -3}});
  }

  TEST_CASE("a text without tokens has zeros, or its padding's vector") {
    const auto batch = token_batch{1, 1, ids(1), {0}};
    CHECK(pool(numbers{4, 5}, batch, 2, pooling::mean) == std::vector<numbers>{{0, 0}});
    CHECK(pool(numbers{4, 5}, batch, 2, pooling::last) == std::vector<numbers>{{4, 5}});
  }

  TEST_CASE("a model's own vectors are taken as they are") {
    const auto batch = token_batch{2, 3, ids(6), ids(6, 1)};
    CHECK(pool(numbers{1, 2, 3, 4}, batch, 2, pooling::none) ==
          std::vector<numbers>{{1, 2}, {3, 4}});
  }

  TEST_CASE("ways have names") {
    for (const auto one :
         {pooling::none, pooling::mean, pooling::cls, pooling::max, pooling::last})
      CHECK(pooling_named(name(one)) == one);
    CHECK_FALSE(pooling_named("weighted"));
  }
}

TEST_SUITE("engines.unit_vector") {
  TEST_CASE("a vector keeps its direction and gets length 1") {
    auto vector = numbers{3, 0, -4};
    REQUIRE(make_unit(vector));
    CHECK(vector[0] == doctest::Approx(0.6));
    CHECK(vector[2] == doctest::Approx(-0.8));
  }

  TEST_CASE("what has no direction is refused and left alone") {
    auto zero = numbers{0, 0};
    CHECK_FALSE(make_unit(zero));
    auto none = numbers{};
    CHECK_FALSE(make_unit(none));
    auto broken = numbers{1, std::numeric_limits<float>::quiet_NaN()};
    CHECK_FALSE(make_unit(broken));
    auto endless = numbers{std::numeric_limits<float>::infinity()};
    CHECK_FALSE(make_unit(endless));
  }
}
