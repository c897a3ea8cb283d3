#include "actors/search.hpp"
#include "memory_pieces.hpp"
#include "tests/fixtures/actor_world.hpp"

#include <doctest/doctest.h>

TEST_SUITE("actors.search") {
  using namespace jessica;
  using namespace jessica::actors;
  using namespace jessica::test;
  using namespace std::chrono_literals;

  /// One shard with an INDEXER that the test plays.
  struct search_case {
    user_id user = user_id::make();
    int brought = 0;
    result<void> bringing{};
    actor_world world;
    search_actor shard = world.own(world.sys().spawn(search, deps()));
    indexer_actor indexer = world.own(world.sys().spawn(
        [this](indexer_actor::pointer) -> indexer_actor::behavior_type {
          return {[](const feed_begun&) {},
                  [](feed_lost) {},
                  [](const embeddings_logged&) { return done{}; },
                  [](log_read) {},
                  [](models_changed) {},
                  [](look_again) {},
                  [](fetch_more) {},
                  [](hurry_to) {},
                  [this](const bring_user&) -> caf::result<done> {
                    ++brought;
                    if (!bringing)
                      return to_caf(bringing.error());
                    return done{};
                  }};
        }));

    static search_deps deps() {
      auto made = search_deps{};
      made.most_waiting = 2;
      return made;
    }
    void match(std::vector<owned_embedding> there = {}) {
      REQUIRE(world.ask<rows_missing>(
          shard, match_rows{small_model(),
                            std::make_shared<const std::vector<owned_embedding>>(there),
                            indexer}));
    }
    void put(std::vector<embedded_piece> pieces) {
      REQUIRE(world.ask<done>(shard, put_pieces{std::move(pieces)}));
    }
    void advance(std::uint64_t place) {
      REQUIRE(world.ask<done>(shard, advance_to{{place}}));
    }
    [[nodiscard]] find_pieces question(std::uint64_t after = 0) const {
      return {.user = user,
              .model = {},
              .query = std::make_shared<const std::vector<float>>(at_angle(0)),
              .filter = {},
              .k = 5,
              .min_score = -1,
              .after = {after},
              .limit = 1s};
    }
    [[nodiscard]] result<pieces_found> find(std::uint64_t after = 0) {
      return world.ask<pieces_found>(shard, question(after));
    }
  };

  TEST_CASE_FIXTURE(search_case, "nothing is found before everything is here") {
    const auto early = find();
    REQUIRE_FALSE(early);
    CHECK(early.error().reason == "index_incomplete");
    match({{{1}, user}});
    CHECK_FALSE(find());
    put({piece(1, user, 0)});
    CHECK_FALSE(find());
    advance(10);
    const auto found = find();
    REQUIRE(found);
    REQUIRE(found->hits.size() == 1);
    CHECK(found->hits[0].id.value == 1);
  }

  TEST_CASE_FIXTURE(search_case, "an actor that was started anew says so") {
    for (const auto& answer :
         {world.ask<done>(shard, put_pieces{}), world.ask<done>(shard, change_pieces{}),
          world.ask<done>(shard, advance_to{})}) {
      REQUIRE_FALSE(answer);
      CHECK(answer.error().reason == "not_matched");
    }
  }

  TEST_CASE_FIXTURE(search_case, "the log's changes are found in their order") {
    match();
    advance(10);
    const auto one = piece(1, user, 0);
    const auto two = piece(2, user, 10);
    REQUIRE(world.ask<done>(shard, change_pieces{{one, two, row_of(one)}, {20}}));
    auto found = find();
    REQUIRE(found);
    REQUIRE(found->hits.size() == 1);
    CHECK(found->hits[0].message == two.message);
    REQUIRE(world.ask<done>(shard, change_pieces{{table_emptied{}}, {30}}));
    CHECK(find()->hits.empty());
  }

  TEST_CASE_FIXTURE(search_case, "a search waits for its place in the log") {
    match();
    advance(10);
    auto waiting = ask_later<pieces_found>(world, shard, question(15));
    world.settle();
    CHECK_FALSE(waiting.arrived());
    advance(14);
    CHECK_FALSE(waiting.arrived());
    REQUIRE(world.ask<done>(shard, change_pieces{{piece(1, user, 0)}, {15}}));
    REQUIRE(waiting.arrived());
    REQUIRE(waiting.value());
    CHECK(waiting.value()->hits.size() == 1);
  }

  TEST_CASE_FIXTURE(search_case, "but not for ever") {
    match();
    advance(10);
    auto waiting = ask_later<pieces_found>(world, shard, question(15));
    world.advance(900ms);
    CHECK_FALSE(waiting.arrived());
    world.advance(200ms);
    REQUIRE(waiting.arrived());
    CHECK(waiting.value().error().code == errc::timeout);
    CHECK(waiting.value().error().reason == "position_not_reached");
  }

  TEST_CASE_FIXTURE(search_case, "nor do too many") {
    match();
    advance(10);
    auto first = ask_later<pieces_found>(world, shard, question(15));
    auto second = ask_later<pieces_found>(world, shard, question(15));
    world.settle();
    const auto third = find(15);
    REQUIRE_FALSE(third);
    CHECK(third.error().code == errc::overloaded);
    CHECK(find()); // who need not wait is answered
  }

  TEST_CASE_FIXTURE(search_case, "a feed that was lost sends all to the database") {
    match();
    advance(10);
    auto waiting = ask_later<pieces_found>(world, shard, question(15));
    world.settle();
    world.tell(shard, lose_place{});
    CHECK(find().error().reason == "index_incomplete");
    REQUIRE(waiting.arrived());
    CHECK(waiting.value().error().reason == "index_incomplete");
  }

  TEST_CASE_FIXTURE(search_case, "a vector of another model is none for this index") {
    match();
    advance(10);
    auto question_of_other = question();
    question_of_other.model = "other";
    CHECK(world.ask<pieces_found>(shard, question_of_other).error().reason ==
          "index_incomplete");
    question_of_other.model = "small";
    CHECK(world.ask<pieces_found>(shard, question_of_other));
    question_of_other.query = std::make_shared<const std::vector<float>>(3, 1.0F);
    CHECK(world.ask<pieces_found>(shard, question_of_other).error().code ==
          errc::invalid_input);
  }

  /// A shard with room for nobody who is not searched.
  struct small_search_case : search_case {
    small_search_case() {
      auto small = deps();
      small.shard.index.budget_bytes = 1;
      shard = world.own(world.sys().spawn(search, small));
      match({{{1}, user}});
      put({piece(1, user, 0)});
      advance(10);
    }
    [[nodiscard]] index::index_size size() {
      return world.ask<shard_state>(shard, describe_shard{})->size;
    }
  };

  TEST_CASE_FIXTURE(small_search_case, "a user is brought back once, also when the "
                                       "answer overtakes the pieces") {
    auto waiting = ask_later<pieces_found>(world, shard, question());
    world.settle(); // INDEXER has answered
    CHECK(brought == 1);
    world.advance(300ms);
    CHECK(brought == 1);
    CHECK_FALSE(waiting.arrived());
    world.tell(shard, restore_user{user, {piece(1, user, 0)}});
    REQUIRE(waiting.arrived());
    REQUIRE(waiting.value());
    CHECK(waiting.value()->hits.size() == 1);
    CHECK(brought == 1);
    // Late ones are of no use: they may be old.
    REQUIRE(world.ask<done>(shard, change_pieces{{owned_embedding{{1}, user}}, {20}}));
    world.tell(shard, restore_user{user, {piece(1, user, 0)}});
    CHECK(find()->hits.empty());
  }

  TEST_CASE_FIXTURE(small_search_case,
                    "a user who cannot be brought back costs nothing "
                    "more, and is asked for again") {
    bringing = fail(errc::unavailable, "no database");
    auto waiting = ask_later<pieces_found>(world, shard, question());
    world.settle();
    CHECK(brought == 1);
    const auto before = size().bytes;
    REQUIRE(world.ask<done>(shard, change_pieces{{piece(2, user, 0)}, {20}}));
    world.settle();
    world.advance(2s);
    REQUIRE(waiting.arrived());
    CHECK(waiting.value().error().reason == "index_incomplete");
    CHECK(size().bytes == before + sizeof(embedding_id));
    bringing = {};
    const auto asked = brought;
    auto again = ask_later<pieces_found>(world, shard, question());
    world.settle();
    CHECK(brought == asked + 1);
    world.tell(shard, restore_user{user, {piece(1, user, 0), piece(2, user, 0)}});
    REQUIRE(again.arrived());
    CHECK(again.value()->hits.size() == 2);
  }

  TEST_CASE_FIXTURE(search_case, "a shard describes itself") {
    match();
    put({piece(4, user, 0)});
    advance(10);
    const auto told = world.ask<shard_state>(shard, describe_shard{});
    REQUIRE(told);
    CHECK(told->complete);
    CHECK(told->position.value == 10);
    CHECK(told->size.pieces == 1);
    CHECK(told->model == small_model());
    CHECK(world.ask<rows_listed>(shard, list_rows{})->rows ==
          std::vector<owned_embedding>{{{4}, user}});
  }
}
