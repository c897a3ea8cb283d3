#include "actors/indexer.hpp"
#include "actors/search.hpp"
#include "storage/embedding_rows.hpp"
#include "tests/fixtures/actor_world.hpp"
#include "tests/postgres/feed_world.hpp"
#include "tests/postgres/vectors_world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

// INDEXER and its shards over a real database and its log. The test is CHANGEFEED.

namespace jessica::actors {
namespace {

using namespace test;
using namespace std::chrono_literals;

struct index_case {
  two_number_model model;
  user_id ada = add_user();
  conversation_id room = add_conversation(ada);
  std::vector<std::uint32_t> waited_for; ///< by the last fetch of a user
  actor_world world;
  std::vector<search_actor> shards = make_shards();
  indexer_actor indexer =
      world.own(world.sys().spawn(actors::indexer, indexer_deps{source(), shards, 3}));
  std::optional<storage::wal_stream> stream;

  std::vector<search_actor> make_shards() {
    auto made = std::vector<search_actor>{};
    for (auto i = 0; i < 2; ++i)
      made.push_back(world.own(world.sys().spawn(search, search_deps{})));
    return made;
  }
  embedding_source source() {
    auto made = embeddings_of(database());
    made.fetch_user = [this, fetch = made.fetch_user](const memory_model& of,
                                                      const user_id& user, auto seen) {
      waited_for.assign(seen.begin(), seen.end());
      return fetch(of, user, seen);
    };
    return made;
  }
  static storage::wal_options feed() {
    auto options = quick_feed();
    options.publications = {"jessica_engine"};
    return options;
  }
  /// The snapshot is taken, the stream runs; `meanwhile` happens between the two.
  template <class Meanwhile> void begin(Meanwhile meanwhile) {
    stream.reset();
    stream = must_open(feed());
    auto snapshot = storage::embedding_snapshot::open(database(), stream->snapshot());
    REQUIRE(snapshot);
    meanwhile();
    REQUIRE(stream->start());
    world.tell(indexer, feed_begun{std::make_shared<storage::embedding_snapshot>(
                                       std::move(*snapshot)),
                                   stream->position(), changefeed_actor{}});
  }
  void begin() {
    begin([] {});
  }
  void hand(storage::feed_piece piece) {
    const auto what = std::make_shared<const storage::feed_piece>(std::move(piece));
    REQUIRE(world.ask<done>(indexer, embeddings_logged{what, stream->position()}));
  }
  /// Up to a fence that is written now.
  void follow() {
    for (auto& piece : read_all(*stream))
      hand(std::move(piece));
    world.tell(indexer, log_read{stream->position()});
  }
  [[nodiscard]] std::vector<std::int64_t> indexed() {
    auto ids = std::vector<std::int64_t>{};
    for (const auto& shard : shards) {
      const auto listed = world.ask<rows_listed>(shard, list_rows{});
      REQUIRE(listed);
      for (const auto& row : listed->rows)
        ids.push_back(row.id.value);
    }
    std::ranges::sort(ids);
    return ids;
  }
  [[nodiscard]] static std::vector<std::int64_t> stored() {
    const auto rows = admin(
        std::format("select id from public.embeddings where model_id = {} order by id",
                    test_model_id));
    auto ids = std::vector<std::int64_t>{};
    for (auto row = 0; row < rows.size(); ++row)
      ids.push_back(rows.integer(row, 0));
    return ids;
  }
  [[nodiscard]] bool complete() {
    return std::ranges::all_of(shards, [&](const auto& shard) {
      return world.ask<shard_state>(shard, describe_shard{})->complete;
    });
  }
  [[nodiscard]] result<pieces_found> find(user_id user, lsn after = {}) {
    return world.ask<pieces_found>(
        shards[shard_of(user, shards.size())],
        find_pieces{.user = user,
                    .model = "two",
                    .query = std::make_shared<const std::vector<float>>(at_angle(0)),
                    .filter = {},
                    .k = 10,
                    .min_score = -1,
                    .after = after,
                    .limit = 1s});
  }
};

} // namespace

TEST_SUITE("postgres.memory_index") {

  TEST_CASE_FIXTURE(index_case, "a start fetches what is there, a few rows at a time") {
    for (auto i = 0; i < 10; ++i)
      add_memory(ada, room, "m", i * 5);
    begin();
    CHECK(indexed() == stored());
    CHECK(complete());
    const auto found = find(ada);
    REQUIRE(found);
    CHECK(found->hits.size() == 10);
    CHECK(found->hits[0].score == doctest::Approx(1));
  }

  TEST_CASE_FIXTURE(index_case, "what is written between snapshot and stream, and "
                                "behind it, comes by the log") {
    const auto kept = add_memory(ada, room, "kept", 0);
    const auto gone = add_memory(ada, room, "gone", 1);
    begin([&] {
      admin("delete from public.messages where id = $1", {gone.message.str()});
      add_memory(ada, room, "between", 2);
    });
    // The row that is gone was never fetched, or is removed by the log.
    follow();
    CHECK(indexed() == stored());
    add_memory(ada, room, "behind", 3);
    admin("delete from public.messages where id = $1", {kept.message.str()});
    follow();
    CHECK(indexed() == stored());
    CHECK(indexed().size() == 2);
    CHECK(complete());
  }

  TEST_CASE_FIXTURE(index_case, "a feed that begins anew drops and fetches the "
                                "difference") {
    for (auto i = 0; i < 5; ++i)
      add_memory(ada, room, "m", i);
    begin();
    world.tell(indexer, feed_lost{});
    CHECK_FALSE(complete());
    CHECK_FALSE(find(ada));
    admin(std::format("delete from public.embeddings where id = {}", stored().at(2)));
    add_memory(ada, room, "new", 9);
    begin();
    CHECK(complete());
    CHECK(indexed() == stored());
  }

  TEST_CASE_FIXTURE(index_case, "a user's rows are read when what the log told is "
                                "visible") {
    begin();
    REQUIRE(world.ask<done>(indexer, bring_user{ada}));
    CHECK(waited_for.empty());
    add_memory(ada, room, "m", 0);
    auto told = std::uint32_t{0};
    for (auto& piece : read_all(*stream)) {
      told = std::max(told, piece.xid);
      hand(std::move(piece));
    }
    REQUIRE(told != 0);
    REQUIRE(world.ask<done>(indexer, bring_user{ada}));
    CHECK(std::ranges::contains(waited_for, told));
  }

  TEST_CASE_FIXTURE(index_case, "another model is compared anew when it is told") {
    add_memory(ada, room, "m", 0);
    begin();
    CHECK(indexed().size() == 1);
    admin("update public.embedding_models set active = false where id = 77");
    world.tell(indexer, models_changed{});
    CHECK_FALSE(complete());
    CHECK_FALSE(find(ada));
    admin("update public.embedding_models set active = true where id = 77");
    add_memory(ada, room, "n", 0);
    world.tell(indexer, models_changed{});
    CHECK(indexed() == stored());
    follow();
    CHECK(complete());
    CHECK(indexed() == stored());
  }

  TEST_CASE_FIXTURE(index_case, "a model that changes is told in the log") {
    begin();
    admin("update public.embedding_models set active = true where id = 77");
    auto told = false;
    for (const auto& piece : read_all(*stream))
      for (const auto& event : piece.events)
        if (const auto* message = std::get_if<storage::wal_message>(&event))
          told = told || message->content == "model";
    CHECK(told);
  }

  TEST_CASE_FIXTURE(index_case, "an emptied table empties the index") {
    add_memory(ada, room, "m", 0);
    begin();
    CHECK(indexed().size() == 1);
    admin("truncate public.embeddings");
    add_memory(ada, room, "n", 0);
    follow();
    CHECK(indexed() == stored());
    CHECK(indexed().size() == 1);
  }

  TEST_CASE_FIXTURE(index_case, "a search that waits for a commit finds it") {
    begin();
    const auto one = add_memory(ada, room, "m", 0);
    const auto place = *lsn::parse(text_of("select pg_current_wal_lsn()"));
    const auto early = find(ada, place);
    CHECK_FALSE(early); // nobody read the log
    follow();
    const auto found = find(ada, place);
    REQUIRE(found);
    REQUIRE(found->hits.size() == 1);
    CHECK(found->hits[0].message == one.message);
  }

  TEST_CASE_FIXTURE(index_case, "an idle log tells its end when it is asked") {
    begin();
    const auto place = *lsn::parse(text_of("select pg_current_wal_lsn()"));
    REQUIRE(stream->ask_position());
    for (auto i = 0; i < 200 && stream->position() < place; ++i)
      REQUIRE(stream->next(50ms));
    CHECK(stream->position() >= place);
  }

  TEST_CASE_FIXTURE(index_case, "writers that insert and delete through all of a start "
                                "and a restart: nothing is missed, nothing is double") {
    auto stop = std::atomic{false};
    auto written = std::atomic<int>{0};
    const auto write = [&](unsigned seed) {
      auto db = storage::connection{database(), storage::role::migrations};
      auto mine = std::vector<std::string>{};
      for (auto n = seed; !stop; n = n * 1664525U + 1013904223U, ++written) {
        const auto id = message_id::make().str();
        const auto added = db.run(std::vector<storage::statement>{
            {"insert into public.messages (id, conversation_id, user_id, content) "
             "values "
             "($1, $2, $3, 'x')",
             {id, room.str(), ada.str()}},
            {"insert into public.embeddings (message_id, user_id, model_id, embedding) "
             "values ($1, $2, 77, '[0.6,0.8]')",
             {id, ada.str()}}});
        if (!added)
          return;
        mine.push_back(id);
        if ((n >> 16U) % 3 == 0) {
          const auto at =
              mine.begin() + static_cast<std::ptrdiff_t>((n >> 8U) % mine.size());
          if (!db.run({"delete from public.messages where id = $1", {*at}}))
            return;
          mine.erase(at);
        }
      }
    };
    auto first = std::jthread{[&] { write(1); }};
    auto second = std::jthread{[&] { write(2); }};
    const auto until = [&](int count) {
      while (written < count)
        std::this_thread::yield();
    };
    until(20);
    begin([&] { until(60); });
    follow();
    until(100);
    follow();
    begin([&] { until(160); });
    world.tell(indexer, models_changed{}); // a comparison of its own, amid the log
    until(200);
    stop = true;
    first.join();
    second.join();
    follow();
    CHECK(indexed() == stored());
    CHECK(complete());
    CHECK_FALSE(indexed().empty());
  }

  TEST_CASE_FIXTURE(index_case, "ten thousand rows are deleted while searches go on") {
    for (auto i = 0; i < 10; ++i) {
      const auto message = add_message(ada, room, "many pieces");
      admin("insert into public.embeddings (message_id, user_id, model_id, chunk, "
            "embedding) select $1, $2, 77, c, '[0.6,0.8]' from generate_series(1, "
            "1000) c",
            {message.str(), ada.str()});
    }
    begin();
    CHECK(indexed().size() == 10'000);
    REQUIRE(find(ada));
    CHECK(find(ada)->hits.size() == 10);
    admin("delete from public.messages where user_id = $1", {ada.str()});
    auto searches = 0;
    for (auto& piece : read_all(*stream)) {
      hand(std::move(piece));
      REQUIRE(find(ada));
      ++searches;
    }
    CHECK(searches >= 10); // a piece has a thousand rows at most
    CHECK(indexed().empty());
    CHECK(find(ada)->hits.empty());
  }

  TEST_CASE_FIXTURE(index_case, "a message of any time keeps no other from the index") {
    const auto remember = [&](const std::string& when) {
      const auto message = message_id::make();
      admin("insert into public.messages (id, conversation_id, user_id, content, "
            "created_at) values ($1, $2, $3, 'x', $4)",
            {message.str(), room.str(), ada.str(), when});
      embed(ada, message, 0);
    };
    const auto times = {"infinity", "-infinity", "0044-03-15 BC", "20000-01-01"};
    for (const auto* when : times)
      remember(when);
    begin();
    CHECK(indexed().size() == 4);
    CHECK(complete());
    for (const auto* when : times) // the same by the log
      remember(when);
    follow();
    CHECK(indexed() == stored());
    CHECK(indexed().size() == 8);
    const auto found = find(ada);
    REQUIRE(found);
    CHECK(found->hits.size() == 8);
  }

  TEST_CASE_FIXTURE(index_case, "rows of the log that make no sense are left out") {
    const auto shape = [] {
      auto made = std::make_shared<storage::table_shape>();
      made->schema = "public";
      made->name = "embeddings";
      for (const auto* name : {"id", "model_id", "embedding"})
        made->columns.push_back({name, 0, false});
      return made;
    }();
    const auto known = memory_model{77, "two", 2};
    const auto of = [&](std::string_view id, std::string_view of_model,
                        std::string_view vector) {
      const auto fields =
          std::vector<storage::field>{{storage::field_state::text, id},
                                      {storage::field_state::text, of_model},
                                      {storage::field_state::text, vector}};
      return storage::piece_of({storage::change_kind::insert, shape, fields}, known);
    };
    CHECK_FALSE(of("1", "77", "[1,0]")); // no user, no message
    CHECK_FALSE(of("1", "x", "[1,0]"));
    const auto others = of("1", "1", "[1]");
    REQUIRE(others);
    CHECK_FALSE(*others);
  }
}

} // namespace jessica::actors
