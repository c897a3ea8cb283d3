#include "actors/memory.hpp"
#include "memory_pieces.hpp"
#include "tests/fixtures/actor_world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

TEST_SUITE("actors.memory") {
  using namespace jessica;
  using namespace jessica::actors;
  using namespace jessica::test;
  using namespace std::chrono_literals;

  /// MEMORY between actors that the test plays.
  struct memory_case {
    user_id user = user_id::make();
    std::vector<memory_hit> near; ///< best first
    std::vector<storage::worded_memory> worded;
    std::set<message_id> hidden; ///< by row security, or deleted since
    std::vector<find_pieces> asked;
    std::vector<nearest_in_table> asked_table;
    std::vector<std::string> embedded;
    std::vector<lsn> hurried;
    result<void> index_answers{};
    bool index_silent = false;
    actor_world world;

    std::vector<search_actor> shards() {
      return {world.own(world.sys().spawn(
          [this](search_actor::pointer self) -> search_actor::behavior_type {
            return {[](const match_rows&) { return rows_missing{}; },
                    [](const put_pieces&) { return done{}; },
                    [](const change_pieces&) { return done{}; },
                    [](const advance_to&) { return done{}; },
                    [](lose_place) {},
                    [](const restore_user&) {},
                    [this, self](const find_pieces& msg) -> caf::result<pieces_found> {
                      asked.push_back(msg);
                      if (index_silent)
                        return self->make_response_promise<pieces_found>();
                      if (!index_answers)
                        return to_caf(index_answers.error());
                      return first(msg.k, msg.min_score);
                    },
                    [](describe_shard) { return shard_state{}; },
                    [](list_rows) { return rows_listed{}; },
                    [](save_index) {},
                    [](look_at_waiting) {},
                    [](work_on) {}};
          }))};
    }
    [[nodiscard]] pieces_found first(std::size_t k, float least) const {
      auto found = pieces_found{};
      for (const auto& one : near)
        if (found.hits.size() < k && one.score >= least)
          found.hits.push_back(one);
      return found;
    }
    memory_reader_actor readers() {
      return world.own(world.sys().spawn(
          [this](memory_reader_actor::pointer) -> memory_reader_actor::behavior_type {
            return {[this](const read_memories& msg) {
                      auto read = memories_read{};
                      for (auto i = std::size_t{0}; i < msg.places.size(); ++i) {
                        if (hidden.contains(msg.places[i].message))
                          continue;
                        auto what = found_memory{};
                        what.message = msg.places[i].message;
                        what.excerpt = "text of " + what.message.str();
                        read.texts.push_back({i, std::move(what)});
                      }
                      return read;
                    },
                    [this](const nearest_in_table& msg) {
                      asked_table.push_back(msg);
                      return first(msg.k, msg.min_score);
                    },
                    [this](const match_words&) { return words_matched{worded}; },
                    [](are_you_free) { return done{}; }};
          }));
    }
    embedder_actor embedder() {
      return world.own(world.sys().spawn(
          [this](embedder_actor::pointer) -> embedder_actor::behavior_type {
            return {[this](const embed_texts& msg) {
              embedded.push_back(msg.texts.at(0));
              CHECK(msg.purpose == engines::text_purpose::query);
              return texts_embedded{{at_angle(0)}};
            }};
          }));
    }
    indexer_actor indexer() {
      return world.own(world.sys().spawn(
          [this](indexer_actor::pointer) -> indexer_actor::behavior_type {
            return {[](const feed_begun&) {},
                    [](feed_lost) {},
                    [](const embeddings_logged&) { return done{}; },
                    [](log_read) {},
                    [](models_changed) {},
                    [](look_again) {},
                    [](fetch_more) {},
                    [this](hurry_to msg) { hurried.push_back(msg.place); },
                    [](const bring_user&) { return done{}; }};
          }));
    }
    memory_deps deps() {
      auto limits = memory_limits{};
      limits.queue = 2;
      limits.prompt_memories = 2;
      return {shards(), readers(), embedder(), "small", 0.5F, indexer(), limits};
    }
    memory_actor start() { return world.own(world.sys().spawn(memory, deps())); }
    memory_actor running = start();

    void know(std::size_t count) {
      for (auto i = std::size_t{0}; i < count; ++i)
        near.push_back({{static_cast<std::int64_t>(i + 1)},
                        message_id::make(),
                        1 - 0.01F * static_cast<float>(i)});
    }
    [[nodiscard]] search_memory question(std::size_t k = 3) const {
      auto what = memory_question{};
      what.text = "where?";
      what.k = k;
      return {{user, nullptr}, what};
    }
    [[nodiscard]] result<memories_found> search(const search_memory& what) {
      return world.ask<memories_found>(running, what);
    }
  };

  TEST_CASE_FIXTURE(memory_case,
                    "a text is embedded, its nearest are read as the user") {
    know(5);
    const auto found = search(question());
    REQUIRE(found);
    REQUIRE(found->found.size() == 3);
    CHECK(found->found[0].message == near[0].message);
    CHECK(found->found[0].score == near[0].score);
    CHECK(embedded == std::vector<std::string>{"where?"});
    REQUIRE(asked.size() == 1);
    CHECK(asked[0].model == "small");
    CHECK(asked[0].user == user);
    CHECK(hurried.empty());
  }

  TEST_CASE_FIXTURE(memory_case, "a vector needs no model") {
    know(1);
    auto what = question();
    what.what.vector = {0, 1};
    REQUIRE(search(what));
    CHECK(embedded.empty());
    CHECK(asked[0].model.empty());
    CHECK(*asked[0].query == std::vector<float>{0, 1});
  }

  TEST_CASE_FIXTURE(memory_case, "what the user may not see makes room for others") {
    know(20);
    for (auto i = std::size_t{0}; i < 4; ++i)
      hidden.insert(near[i].message);
    const auto found = search(question());
    REQUIRE(found);
    REQUIRE(found->found.size() == 3);
    CHECK(found->found[0].message == near[4].message);
    CHECK(asked.size() == 2);
    CHECK(asked[1].k > asked[0].k);
  }

  TEST_CASE_FIXTURE(memory_case, "when there is no more, fewer are found") {
    know(4);
    hidden.insert(near[1].message);
    hidden.insert(near[2].message);
    const auto found = search(question());
    REQUIRE(found);
    CHECK(found->found.size() == 2);
  }

  TEST_CASE_FIXTURE(memory_case,
                    "an index that is not ready leaves it to the database") {
    know(5);
    index_answers = fail(errc::unavailable, "building", "index_incomplete");
    const auto found = search(question());
    REQUIRE(found);
    CHECK(found->found.size() == 3);
    REQUIRE(asked_table.size() == 1);
    CHECK(asked_table[0].model == "small");
  }

  TEST_CASE_FIXTURE(memory_case, "other failures of the index are told") {
    index_answers = fail(errc::timeout, "not yet", "position_not_reached");
    const auto found = search(question());
    REQUIRE_FALSE(found);
    CHECK(found.error().reason == "position_not_reached");
  }

  TEST_CASE_FIXTURE(memory_case, "who waits for a place makes the feed hurry") {
    know(1);
    auto what = question();
    what.what.after = {42};
    REQUIRE(search(what));
    CHECK(hurried == std::vector<lsn>{{42}});
    CHECK(asked[0].after == lsn{42});
  }

  TEST_CASE_FIXTURE(memory_case, "hybrid: words and vectors together") {
    know(3);
    worded = {{message_id::make(), 0.5F}, {near[2].message, 1}};
    auto what = question(4);
    what.what.hybrid = true;
    const auto found = search(what);
    REQUIRE(found);
    REQUIRE(found->found.size() == 4);
    CHECK(found->found[0].message == near[2].message); // known to both
    CHECK(
        std::ranges::contains(found->found, worded[0].message, &found_memory::message));
    for (const auto& one : found->found)
      CHECK(one.score <= 1);
  }

  TEST_CASE_FIXTURE(memory_case, "too many at once are refused, and room comes back") {
    index_silent = true;
    auto one = ask_later<memories_found>(world, running, question());
    auto two = ask_later<memories_found>(world, running, question());
    world.settle();
    const auto three = search(question());
    REQUIRE_FALSE(three);
    CHECK(three.error().code == errc::overloaded);
    world.advance(60s);
    REQUIRE(one.arrived());
    CHECK(one.value().error().code == errc::timeout);
    index_silent = false;
    CHECK(search(question()));
  }

  TEST_CASE_FIXTURE(memory_case, "a prompt gets what is near enough and not shown") {
    know(60); // from 1.00 down to 0.41
    const auto recalled = world.ask<memories_found>(
        running, recall_memories{user, "where?", {near[0].message}});
    REQUIRE(recalled);
    REQUIRE(recalled->found.size() == 2);
    CHECK(recalled->found[0].message == near[1].message);
    CHECK(asked[0].min_score == 0.5F);
  }

  TEST_CASE("a prompt's memories have room for so much, and none says the same twice") {
    auto limits = memory_limits{};
    limits.prompt_memories = 3;
    limits.prompt_tokens = 10; // some 40 bytes
    auto found = std::vector<found_memory>(5);
    for (auto& one : found)
      one.message = message_id::make();
    found[0].excerpt = std::string(41, 'x'); // too long
    found[1].excerpt = "the dog is called Rex";
    found[2].excerpt = "the dog is called Rex";
    found[3].excerpt = "a cat";
    found[4].excerpt = "a bird";
    const auto chosen = choose_for_prompt(found, {found[4].message}, limits);
    REQUIRE(chosen.size() == 2);
    CHECK(chosen[0].message == found[1].message);
    CHECK(chosen[1].message == found[3].message);
  }
}
