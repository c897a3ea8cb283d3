#include "actors/indexer.hpp"
#include "actors/search.hpp"
#include "memory_pieces.hpp"
#include "tests/fixtures/actor_world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <map>

TEST_SUITE("actors.indexer") {
  using namespace jessica;
  using namespace jessica::actors;
  using namespace jessica::test;
  using namespace std::chrono_literals;

  [[nodiscard]] std::shared_ptr<const storage::table_shape> embeddings_shape() {
    auto shape = std::make_shared<storage::table_shape>();
    shape->schema = "public";
    shape->name = "embeddings";
    for (const auto* name : {"id", "message_id", "user_id", "conversation_id", "role",
                             "said_at", "model_id", "embedding"})
      shape->columns.push_back(
          {name, 0,
           std::string_view{name} == "id" || std::string_view{name} == "user_id"});
    return shape;
  }

  /// INDEXER over real shards; the database is a list of pieces.
  struct indexer_case {
    std::vector<embedded_piece> table; ///< what fetches see
    result<void> database{};
    int looked = 0;
    std::size_t fetched = 0;
    user_id ann = user_id::make();
    user_id bob = user_id::make();
    std::shared_ptr<const storage::table_shape> shape = embeddings_shape();
    actor_world world;
    std::vector<search_actor> shards = make_shards();
    indexer_actor indexer = world.own(
        world.sys().spawn(actors::indexer, indexer_deps{source(), shards, 2}));

    std::vector<search_actor> make_shards() {
      auto made = std::vector<search_actor>{};
      for (auto i = 0; i < 2; ++i)
        made.push_back(world.own(world.sys().spawn(search, search_deps{})));
      return made;
    }
    embedding_source source() {
      return {[this](auto) -> result<std::shared_ptr<storage::embedding_snapshot>> {
                ++looked;
                return fail(errc::unavailable, "the test has no snapshots");
              },
              [this](const memory_model&, std::span<const embedding_id> ids,
                     auto) -> result<std::vector<embedded_piece>> {
                if (!database)
                  return std::unexpected{database.error()};
                auto found = std::vector<embedded_piece>{};
                for (const auto& one : table)
                  if (std::ranges::contains(ids, one.id))
                    found.push_back(one);
                fetched += found.size();
                return found;
              },
              [](const memory_model&, const user_id&,
                 auto) -> result<std::vector<embedded_piece>> {
                return std::vector<embedded_piece>{};
              }};
    }

    [[nodiscard]] storage::feed_event added(const embedded_piece& what,
                                            std::string vector = "[1,0]",
                                            std::string model = "1") const {
      const auto texts = std::array{std::to_string(what.id.value),
                                    what.message.str(),
                                    what.user.str(),
                                    what.conversation.str(),
                                    std::string{"user"},
                                    std::string{"2026-11-22 10:00:00.5+00"},
                                    std::move(model),
                                    std::move(vector)};
      auto fields = std::vector<storage::field>{};
      for (const auto& text : texts)
        fields.push_back({storage::field_state::text, text});
      return storage::row_change{storage::change_kind::insert, shape, fields};
    }

    [[nodiscard]] std::size_t pieces() {
      auto all = std::size_t{0};
      for (const auto& shard : shards)
        all += world.ask<shard_state>(shard, describe_shard{})->size.pieces;
      return all;
    }
    result<done> log(std::vector<storage::feed_event> events, std::uint64_t place) {
      auto what = std::make_shared<storage::feed_piece>();
      what->events = std::move(events);
      what->xid = 7;
      return world.ask<done>(indexer, embeddings_logged{what, {place}});
    }
  };

  TEST_CASE_FIXTURE(indexer_case, "without a beginning it looks for itself, and again "
                                  "after a pause that grows") {
    world.settle();
    CHECK(looked == 0);
    CHECK(log({added(piece(1, ann, 0))}, 10));
    CHECK(looked == 1);
    world.advance(99ms);
    CHECK(looked == 1);
    world.advance(1ms);
    CHECK(looked == 2);
    world.advance(200ms);
    CHECK(looked == 3);
    world.advance(60s);
    CHECK(looked < 20); // every five seconds at last
    CHECK(looked > 12);
  }

  TEST_CASE_FIXTURE(indexer_case, "another model makes it look") {
    world.tell(indexer, models_changed{});
    CHECK(looked == 1);
  }

  TEST_CASE_FIXTURE(indexer_case, "without a model users cannot be brought back") {
    const auto brought = world.ask<done>(indexer, bring_user{ann});
    REQUIRE_FALSE(brought);
    CHECK(brought.error().code == errc::unavailable);
  }
}
