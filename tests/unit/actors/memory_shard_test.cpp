#include "actors/memory_shard.hpp"
#include "memory_pieces.hpp"

#include <doctest/doctest.h>

TEST_SUITE("actors.memory_shard") {
  using namespace jessica;
  using namespace jessica::actors;
  using namespace jessica::test;

  struct shard_case {
    user_id user = user_id::make();
    memory_shard shard{shard_options{}};

    [[nodiscard]] std::vector<std::int64_t> found(float degrees, std::size_t k = 10) {
      const auto hits = shard.find(user, at_angle(degrees), {}, k, -1);
      REQUIRE(hits);
      REQUIRE(*hits);
      auto ids = std::vector<std::int64_t>{};
      for (const auto& one : **hits)
        ids.push_back(one.id.value);
      return ids;
    }
    [[nodiscard]] std::vector<embedding_id>
    match(const std::vector<owned_embedding>& there) {
      auto missing = shard.match(small_model(), there);
      REQUIRE(missing);
      return *missing;
    }
  };

  TEST_CASE_FIXTURE(shard_case, "an empty shard lacks every row") {
    CHECK_FALSE(shard.matched());
    const auto missing = match({{{3}, user}, {{5}, user}});
    CHECK(missing == std::vector<embedding_id>{{3}, {5}});
    CHECK(shard.matched());
    CHECK_FALSE(shard.complete());
  }

  TEST_CASE_FIXTURE(shard_case, "rows that are gone are dropped, those that are there "
                                "stay, new ones are lacking") {
    CHECK(match({}).empty());
    for (const auto id : {1, 2, 4, 7})
      shard.add(piece(id, user, static_cast<float>(id)));
    shard.advance({10});
    const auto missing = match({{{2}, user}, {{3}, user}, {{7}, user}, {{9}, user}});
    CHECK(missing == std::vector<embedding_id>{{3}, {9}});
    CHECK_FALSE(shard.complete());
    CHECK(found(2) == std::vector<std::int64_t>{2, 7});
  }

  TEST_CASE_FIXTURE(shard_case, "a piece twice is one, a removal of nothing is none") {
    CHECK(match({}).empty());
    const auto one = piece(1, user, 0);
    shard.add(one);
    shard.add(one);
    shard.remove({{2}, user});
    CHECK(found(0) == std::vector<std::int64_t>{1});
    shard.remove(row_of(one));
    CHECK(found(0).empty());
  }

  TEST_CASE_FIXTURE(shard_case, "a vector of a wrong size is left out") {
    CHECK(match({}).empty());
    auto odd = piece(1, user, 0);
    odd.vector.push_back(0);
    shard.add(odd);
    CHECK(shard.size().pieces == 0);
    CHECK(shard.unsaved() == 0);
  }

  TEST_CASE_FIXTURE(shard_case, "an emptied table empties the shard") {
    CHECK(match({}).empty());
    shard.add(piece(1, user, 0));
    shard.clear();
    CHECK(shard.rows().empty());
    shard.add(piece(2, user, 0));
    CHECK(found(0) == std::vector<std::int64_t>{2});
  }

  TEST_CASE_FIXTURE(shard_case, "another model begins with nothing") {
    CHECK(match({}).empty());
    shard.add(piece(1, user, 0));
    const auto missing =
        shard.match({2, "other", 3}, std::vector{owned_embedding{{1}, user}});
    REQUIRE(missing);
    CHECK(*missing == std::vector<embedding_id>{{1}});
    CHECK(shard.model().name == "other");
  }

  TEST_CASE_FIXTURE(shard_case, "the place only goes forward, from match to match") {
    CHECK(match({}).empty());
    shard.advance({10});
    shard.advance({5});
    CHECK(shard.position().value == 10);
    CHECK(shard.complete());
    shard.lose_place();
    CHECK_FALSE(shard.complete());
    CHECK(match({}).empty()); // with a database that was restored, say
    shard.advance({5});
    CHECK(shard.position().value == 5);
  }
}
