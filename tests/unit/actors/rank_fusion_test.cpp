#include "actors/rank_fusion.hpp"

#include <doctest/doctest.h>

TEST_SUITE("actors.rank_fusion") {
  using namespace jessica;
  using namespace jessica::actors;

  TEST_CASE("what both rankings know goes before what one knows") {
    const auto a = message_id::make();
    const auto b = message_id::make();
    const auto c = message_id::make();
    const auto vectors = std::vector<memory_hit>{{{1}, a, 0.9F}, {{2}, b, 0.8F}};
    const auto words = std::vector<message_id>{c, b};
    const auto fused = fuse_ranks(vectors, words);
    REQUIRE(fused.size() == 3);
    CHECK(fused[0].message == b);
    CHECK(fused[0].id.value == 2);
    CHECK(fused[1].message == a); // as good as c, and known by a piece
    CHECK(fused[2].message == c);
    CHECK(fused[2].id.value == 0);
  }

  TEST_CASE("first in both is 1, and scores fall with the ranks") {
    const auto a = message_id::make();
    const auto b = message_id::make();
    const auto vectors = std::vector<memory_hit>{{{1}, a, 0.1F}, {{2}, b, 0.05F}};
    const auto fused = fuse_ranks(vectors, std::vector{a, b});
    CHECK(fused[0].score == doctest::Approx(1));
    CHECK(fused[1].score < fused[0].score);
    CHECK(fused[1].score > 0);
  }

  TEST_CASE("nothing gives nothing, and one ranking is kept as it is") {
    CHECK(fuse_ranks({}, {}).empty());
    const auto words = std::vector{message_id::make(), message_id::make()};
    const auto fused = fuse_ranks({}, words);
    REQUIRE(fused.size() == 2);
    CHECK(fused[0].message == words[0]);
  }
}
