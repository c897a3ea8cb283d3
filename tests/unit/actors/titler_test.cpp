#include "actors/titler.hpp"
#include "tests/fixtures/actor_world.hpp"
#include "tests/fixtures/scripted_engine.hpp"

#include <caf/send.hpp>
#include <doctest/doctest.h>

#include <utility>

TEST_SUITE_BEGIN("actors.titler");

namespace {

using namespace jessica;
using namespace jessica::actors;
using namespace std::chrono_literals;

struct titles {
  std::vector<std::pair<conversation_id, std::string>> stored;
  std::vector<conversation_id> loaded;
  result<std::optional<storage::first_exchange>> found =
      storage::first_exchange{"When does the ferry leave?", "At seven."};
  result<bool> store_answer = true;
};

class scripted_desk final : public title_desk {
public:
  explicit scripted_desk(std::shared_ptr<titles> of) : of_(std::move(of)) {}
  result<std::optional<storage::first_exchange>> load(user_id,
                                                      conversation_id which) override {
    of_->loaded.push_back(which);
    return of_->found;
  }
  result<bool> store(user_id, conversation_id which, std::string_view title) override {
    of_->stored.emplace_back(which, title);
    return of_->store_answer;
  }

private:
  std::shared_ptr<titles> of_;
};

struct title_room {
  std::shared_ptr<titles> desk = std::make_shared<titles>();
  std::shared_ptr<test::scripted_engine> engine =
      std::make_shared<test::scripted_engine>();
  std::vector<spending> spent;
  test::actor_world world;
  titler_actor titler;

  /// Keeps what was used.
  teller_actor teller() {
    return world.own(
        world.sys().spawn([this](teller_actor::pointer) -> teller_actor::behavior_type {
          return {[](const hold_quota&) { return quota_hold{}; },
                  [this](const spend& msg) {
                    spent.push_back(msg.what);
                    return done{};
                  },
                  [](const spend_all&) { return all_spent{}; },
                  [](are_you_free) { return done{}; }};
        }));
  }

  explicit title_room(std::size_t at_once = 4, std::size_t queue = 10) {
    auto deps =
        titler_deps{engine, [of = desk] { return std::make_unique<scripted_desk>(of); },
                    at_once, queue};
    deps.teller = teller();
    deps.prices = std::make_shared<const std::vector<price>>(
        std::vector{price{"scripted", 1'000'000, 1'000'000}});
    titler = world.own(world.sys().spawn(actors::titler, std::move(deps)));
    world.settle();
  }
  ~title_room() { engine->sinks.clear(); }

  conversation_id ask(std::optional<std::string> model = {}) {
    const auto which = conversation_id::make();
    caf::anon_send(titler, name_conversation{user_id::make(), which, std::move(model)});
    world.settle();
    return which;
  }
  void say(std::size_t number, engines::engine_event event) {
    engine->sinks.at(number)(std::move(event));
    world.settle();
  }
};

} // namespace

TEST_CASE("the engine's answer becomes the title") {
  auto room = title_room{};
  const auto which = room.ask("small-model");
  REQUIRE(room.engine->asked.size() == 1);
  const auto& asked = room.engine->asked.front();
  CHECK(asked.model == "small-model");
  CHECK(asked.turns.size() == 1);
  CHECK(asked.turns.front().content.contains("When does the ferry leave?"));
  CHECK(asked.turns.front().content.contains("At seven."));
  CHECK(asked.params.max_tokens);
  room.say(0, engines::text_made{"\"Ferry ", 1});
  room.say(0, engines::text_made{"times.\"", 2});
  CHECK(room.desk->stored.empty());
  room.say(0, engines::text_ended{"stop", {}});
  REQUIRE(room.desk->stored.size() == 1);
  CHECK(room.desk->stored.front() == std::pair{which, std::string{"Ferry times"}});
  CHECK(room.engine->cancelled == 1);
}

TEST_CASE("a model that goes on talking is cut off behind the first line") {
  auto room = title_room{};
  room.ask();
  room.say(0, engines::text_made{"\n", 1});
  CHECK(room.desk->stored.empty());
  room.say(0, engines::text_made{"Ferry times\nI chose this because", 5});
  REQUIRE(room.desk->stored.size() == 1);
  CHECK(room.desk->stored.front().second == "Ferry times");
  CHECK(room.engine->cancelled == 1);
  room.say(0, engines::text_ended{"stop", {}});
  CHECK(room.desk->stored.size() == 1);
}

TEST_CASE("what a title used is counted for its owner, and is no reply") {
  auto room = title_room{};
  room.ask();
  room.say(0, engines::text_made{"Boats", 1});
  room.say(0, engines::text_ended{"stop", {40, 2, false}});
  REQUIRE(room.spent.size() == 1);
  CHECK(room.spent[0].model == "scripted");
  CHECK(room.spent[0].replies == 0);
  CHECK(room.spent[0].used.prompt_tokens == 40);
  REQUIRE(room.spent[0].used.cost);
  CHECK(text_of(*room.spent[0].used.cost) == "0.000042");
}

TEST_CASE("of a title that was cut off it is estimated") {
  auto room = title_room{};
  room.ask();
  room.say(0, engines::text_made{"Boats\nI chose", 3});
  REQUIRE(room.spent.size() == 1);
  CHECK(room.spent[0].used.estimated);
  CHECK(room.spent[0].used.prompt_tokens > 20);
  CHECK(room.spent[0].used.completion_tokens > 0);
}

TEST_CASE("a conversation with a title of its own is left alone") {
  auto room = title_room{};
  room.desk->found = std::optional<storage::first_exchange>{};
  room.ask();
  CHECK(room.desk->loaded.size() == 1);
  CHECK(room.engine->asked.empty());
}

TEST_CASE("what fails leaves the title as it is, and the next ones are written") {
  auto room = title_room{1};
  room.ask();
  room.ask();
  REQUIRE(room.engine->asked.size() == 1);
  room.say(0, engines::text_failed{"no such model", false});
  CHECK(room.desk->stored.empty());
  REQUIRE(room.engine->asked.size() == 2);
  room.say(1, engines::text_made{"Boats", 1});
  room.say(1, engines::text_ended{"stop", {}});
  CHECK(room.desk->stored.size() == 1);
}

TEST_CASE("an answer without words is no title") {
  auto room = title_room{};
  room.ask();
  room.say(0, engines::text_made{" \"\" ", 1});
  room.say(0, engines::text_ended{"stop", {}});
  CHECK(room.desk->stored.empty());
}

TEST_CASE("a title that takes too long is given up") {
  auto room = title_room{};
  room.ask();
  room.world.advance(61s);
  CHECK(room.engine->cancelled == 1);
  room.ask();
  CHECK(room.engine->asked.size() == 2);
}

TEST_CASE("one conversation is named once at a time") {
  auto room = title_room{};
  const auto which = conversation_id::make();
  for (auto i = 0; i < 2; ++i)
    caf::anon_send(room.titler, name_conversation{user_id::make(), which, {}});
  room.world.settle();
  CHECK(room.engine->asked.size() == 1);
}

TEST_CASE("so many are written at once, so many wait, the rest is left out") {
  auto room = title_room{2, 3};
  for (auto i = 0; i < 9; ++i)
    room.ask();
  CHECK(room.engine->asked.size() == 2);
  for (auto n = std::size_t{0}; n < 5; ++n) {
    room.say(n, engines::text_made{"Boats", 1});
    room.say(n, engines::text_ended{"stop", {}});
  }
  CHECK(room.desk->stored.size() == 5);
  CHECK(room.engine->asked.size() == 5);
}

TEST_CASE("a database that is away costs a title and nothing else") {
  auto room = title_room{};
  room.desk->found = fail(errc::unavailable, "no database");
  room.ask();
  CHECK(room.engine->asked.empty());
  room.desk->found = storage::first_exchange{"When?", ""};
  room.desk->store_answer = fail(errc::unavailable, "no database");
  room.ask();
  room.say(0, engines::text_made{"Boats", 1});
  room.say(0, engines::text_ended{"stop", {}});
  room.desk->store_answer = true;
  room.ask();
  CHECK(room.engine->asked.size() == 2);
}

TEST_SUITE_END();
