#include "actors/hybrid_ranking.hpp"

#include <doctest/doctest.h>

TEST_SUITE("actors.hybrid_ranking") {
  using namespace jessica;
  using namespace jessica::actors;
  using words = std::vector<storage::worded_memory>;

  const auto a = message_id::make();
  const auto b = message_id::make();
  const auto c = message_id::make();

  TEST_CASE("without words the order is that of the vectors") {
    const auto vectors = std::vector<memory_hit>{{{1}, a, 0.9F}, {{2}, b, 0.2F}};
    const auto ranked = rank_hybrid(vectors, {}, 0.2F);
    REQUIRE(ranked.size() == 2);
    CHECK(ranked[0].message == a);
    CHECK(ranked[0].id.value == 1);
    CHECK(ranked[0].score == doctest::Approx(0.9 / 1.3));
    CHECK(ranked[1].message == b);
    CHECK(rank_hybrid({}, {}, 0).empty());
  }

  TEST_CASE("a name decides between texts that mean nearly the same") {
    const auto vectors = std::vector<memory_hit>{{{1}, a, 0.6F}, {{2}, b, 0.5F}};
    const auto ranked = rank_hybrid(vectors, words{{b, 1}}, 0.5F);
    CHECK(ranked[0].message == b);
    CHECK(ranked[0].id.value == 2);
    CHECK(ranked[0].score == doctest::Approx(0.8 / 1.3));
    CHECK(ranked[1].message == a);
  }

  TEST_CASE("shared words do not outweigh a meaning that is clearly nearer") {
    const auto vectors = std::vector<memory_hit>{{{1}, a, 0.6F}, {{2}, b, 0.5F}};
    CHECK(rank_hybrid(vectors, words{{b, 1.0F / 6}}, 0.5F)[0].message == a);
    const auto far = std::vector<memory_hit>{{{1}, a, 0.8F}, {{2}, b, 0.4F}};
    CHECK(rank_hybrid(far, words{{b, 1}}, 0.4F)[0].message == a);
  }

  TEST_CASE("what only words found is as near as what the vectors left out may be") {
    const auto vectors = std::vector<memory_hit>{{{1}, a, 0.5F}, {{2}, b, 0.3F}};
    const auto ranked = rank_hybrid(vectors, words{{c, 0.9F}}, 0.3F);
    REQUIRE(ranked.size() == 3);
    CHECK(ranked[0].message == c);
    CHECK(ranked[0].id.value == 0);
    CHECK(ranked[0].score == doctest::Approx((0.3 + 0.27) / 1.3));
    CHECK(rank_hybrid({}, words{{c, 1}}, 0)[0].message == c);
  }

  TEST_CASE("the same text with all names is 1") {
    const auto vectors = std::vector<memory_hit>{{{1}, a, 1}};
    CHECK(rank_hybrid(vectors, words{{a, 1}}, 1)[0].score == doctest::Approx(1));
  }
}
