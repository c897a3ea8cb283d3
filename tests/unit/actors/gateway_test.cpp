#include "actors/completion_run.hpp"
#include "actors/gateway.hpp"
#include "tests/fixtures/actor_world.hpp"

#include <doctest/doctest.h>

#include <set>
#include <stdexcept>
#include <variant>

TEST_SUITE("actors.gateway") {
  using namespace jessica;
  using namespace jessica::actors;
  using namespace jessica::test;
  using namespace std::chrono_literals;

  /// An engine that says what the test says.
  struct puppet final : engines::text_generator {
    struct held final : engines::generation {
      explicit held(std::size_t& alive_) : alive(alive_) { ++alive; }
      ~held() override { --alive; }
      std::size_t& alive;
    };
    [[nodiscard]] std::string_view model() const noexcept override { return "one"; }
    [[nodiscard]] std::string model_of(const prompt& what) const override {
      return what.params.model.value_or("one");
    }
    [[nodiscard]] std::vector<std::string> models() const override {
      return {"one", "two"};
    }
    [[nodiscard]] bool offers(std::string_view name) const override {
      return name == "one" || name == "two";
    }
    [[nodiscard]] std::unique_ptr<engines::generation>
    start(prompt what, engines::event_sink sink) override {
      if (broken)
        throw std::runtime_error{"no memory left"};
      asked.push_back(std::move(what));
      say = std::move(sink);
      return std::make_unique<held>(alive);
    }

    std::vector<prompt> asked;
    engines::event_sink say;
    std::size_t alive = 0;
    bool broken = false; ///< throws when it is asked
  };

  struct gateway_case {
    std::shared_ptr<puppet> engine = std::make_shared<puppet>();
    user_id ada = user_id::make();
    std::vector<recall_memories> recalled;
    std::vector<found_memory> known;
    bool memory_silent = false;
    std::vector<embed_texts> embedded;
    std::vector<engines::engine_event> heard;
    std::vector<hold_usage> holds;
    std::vector<std::vector<usage_spent>> counts;
    std::vector<caf::typed_response_promise<usage_counted>> busy_with;
    static constexpr auto answer_now = std::int64_t{-1}; ///< tells a busy METER to
    meter_actor books;
    bool refusing = false;
    bool meter_away = false;
    bool meter_busy = false;
    bool limits = true;
    actor_world world;

    memory_actor memory() {
      return world.own(world.sys().spawn(
          [this](memory_actor::pointer self) -> memory_actor::behavior_type {
            return {[](const search_memory&) { return memories_found{}; },
                    [this,
                     self](const recall_memories& msg) -> caf::result<memories_found> {
                      recalled.push_back(msg);
                      if (memory_silent)
                        return self->make_response_promise<memories_found>();
                      return memories_found{known};
                    }};
          }));
    }
    embedder_actor embedder() {
      return world.own(world.sys().spawn(
          [this](embedder_actor::pointer) -> embedder_actor::behavior_type {
            return {[this](const embed_texts& msg) {
              embedded.push_back(msg);
              return texts_embedded{{{0.6F, 0.8F}}};
            }};
          }));
    }
    meter_actor meter() {
      return world.own(world.sys().spawn(
          [this](meter_actor::pointer self) -> meter_actor::behavior_type {
            return {[this, self](const hold_usage& msg) -> caf::result<usage_held> {
                      if (msg.prompt_tokens == answer_now)
                        for (auto& one : std::exchange(busy_with, {}))
                          one.deliver(usage_counted{limits});
                      holds.push_back(msg);
                      if (refusing)
                        return to_caf(
                            {errc::overloaded, "x", "quota_exceeded", nullptr});
                      return usage_held{17};
                    },
                    [this, self](const count_usage& msg) -> caf::result<usage_counted> {
                      counts.push_back(msg.all);
                      if (meter_away)
                        return to_caf({errc::unavailable, "away", {}, nullptr});
                      if (!meter_busy)
                        return usage_counted{limits};
                      auto later = self->make_response_promise<usage_counted>();
                      busy_with.push_back(later);
                      return later;
                    }};
          }));
    }
    gateway_actor metered() {
      auto deps = gateway_deps{engine, {}};
      deps.embedder = embedder();
      deps.embedding_model = "letters";
      books = meter();
      deps.meter = books;
      deps.usage_queue = 3;
      return world.own(world.sys().spawn(gateway, deps));
    }
    /// A completion of so many tokens, from its start to its end.
    void complete(const gateway_actor& on, std::int64_t tokens) {
      auto started = world.ask<completion_started>(on, question(ada));
      REQUIRE(started.has_value());
      engine->say(engines::text_ended{"stop", {tokens, 1, false}});
      world.tell(on, started->run->finish());
    }
    gateway_actor start(bool with_neighbours = true) {
      auto few = config::gateway_settings{};
      few.slots = 3;
      few.per_user = 2;
      auto deps = gateway_deps{engine, few};
      if (with_neighbours) {
        deps.memory = memory();
        deps.embedder = embedder();
      }
      return world.own(world.sys().spawn(gateway, deps));
    }
    gateway_actor running = start();

    [[nodiscard]] start_completion question(std::optional<user_id> who,
                                            std::string model = {}) {
      auto what = start_completion{};
      what.who = who;
      what.asked.turns = {{"user", "Hello"}};
      what.asked.recalls = false;
      if (!model.empty())
        what.asked.params.model = std::move(model);
      what.told = [this](engines::engine_event event) {
        heard.push_back(std::move(event));
      };
      return what;
    }
    result<completion_started> ask(start_completion what) {
      return world.ask<completion_started>(running, std::move(what));
    }
    std::string refused(start_completion what) {
      const auto started = ask(std::move(what));
      REQUIRE(!started.has_value());
      return started.error().reason;
    }
  };

  TEST_CASE_FIXTURE(gateway_case,
                    "the engine is asked, and its words do not stop here") {
    auto started = ask(question(ada, "two"));
    REQUIRE(started.has_value());
    REQUIRE(engine->asked.size() == 1);
    CHECK(engine->asked[0].params.model == "two");
    REQUIRE(heard.size() == 1);
    CHECK(std::get<engines::model_changed>(heard[0]).model == "two");
    engine->say(engines::text_made{"Hi", 1});
    REQUIRE(heard.size() == 2); // without any actor's turn
    CHECK(std::get<engines::text_made>(heard[1]).text == "Hi");
  }

  TEST_CASE_FIXTURE(gateway_case, "whoever lets go of a run cancels it") {
    auto started = ask(question(ada));
    REQUIRE(started.has_value());
    CHECK(engine->alive == 1);
    started->run.reset();
    CHECK(engine->alive == 0);
  }

  TEST_CASE_FIXTURE(gateway_case, "a user has so many places, the node so many") {
    auto first = ask(question(ada));
    auto second = ask(question(ada));
    REQUIRE(second.has_value());
    CHECK(refused(question(ada)) == "too_many_of_user");
    auto service = ask(question(std::nullopt));
    REQUIRE(service.has_value());
    CHECK(refused(question(std::nullopt)) == "too_many_completions");
    CHECK(refused(question(user_id::make())) == "too_many_completions");
    CHECK(engine->asked.size() == 3);
  }

  TEST_CASE_FIXTURE(gateway_case,
                    "a place is free again when its run ends either way") {
    auto first = ask(question(ada));
    auto second = ask(question(ada));
    first->run.reset(); // dropped: told by itself
    world.settle();
    auto third = ask(question(ada));
    REQUIRE(third.has_value());
    world.tell(running, second->run->finish());
    auto fourth = ask(question(ada));
    REQUIRE(fourth.has_value());
    second->run.reset(); // finished before: told no second time
    world.settle();
    CHECK(refused(question(ada)) == "too_many_of_user");
    world.tell(running, completion_ended{~std::uint64_t{0}, {}, {}}); // nobody's
    CHECK(refused(question(ada)) == "too_many_of_user");
  }

  TEST_CASE_FIXTURE(gateway_case, "what nobody offers takes no place") {
    for (auto i = 0; i < 5; ++i)
      CHECK(refused(question(ada, "three")) == "model_not_found");
    CHECK(ask(question(ada)).has_value());
  }

  TEST_CASE_FIXTURE(gateway_case,
                    "a run says what was used: as reported, or estimated") {
    auto started = ask(question(ada));
    engine->say(engines::text_made{"Hi", 2});
    engine->say(engines::text_ended{"stop", {7, 9, false}});
    auto ended = started->run->finish();
    CHECK(ended.used == usage{7, 9, false});
    CHECK(ended.model == "one");
    auto cut = ask(question(ada, "two"));
    engine->say(engines::model_changed{"one"});
    engine->say(engines::text_made{"Hi", 2});
    ended = cut->run->finish();
    CHECK(ended.used == usage{1, 2, true}); // "Hello" is about a token
    CHECK(ended.model == "one");
  }

  TEST_CASE_FIXTURE(gateway_case,
                    "memories of the last user's turn are added when wanted") {
    auto dog = found_memory{};
    dog.message = message_id::make();
    dog.excerpt = "My dog is called Rex.";
    known = {dog};
    auto what = question(ada);
    CHECK(ask(what).has_value());
    CHECK(recalled.empty()); // not wanted
    what.asked.recalls = true;
    what.asked.turns = {{"user", "Which dog?"}, {"assistant", "Well"}};
    CHECK(ask(what).has_value());
    REQUIRE(recalled.size() == 1);
    CHECK(recalled[0].user == ada);
    CHECK(recalled[0].text == "Which dog?");
    REQUIRE(engine->asked.size() == 2);
    CHECK(engine->asked[1].system.value_or("").contains("Rex"));
    CHECK(engine->asked[1].turns.size() == 2);
  }

  TEST_CASE_FIXTURE(gateway_case, "a gateway that ends leaves nobody waiting") {
    auto what = question(ada);
    what.asked.recalls = true;
    SUBCASE("by an exception, at once") {
      engine->broken = true;
      what.asked.recalls = false;
      const auto answer = ask_later<completion_started>(world, running, what);
      world.settle();
      REQUIRE(answer.arrived());
      CHECK_FALSE(answer.value().has_value());
    }
    SUBCASE("by an exception, behind somebody's answer") {
      engine->broken = true;
      const auto answer = ask_later<completion_started>(world, running, what);
      world.settle();
      REQUIRE(answer.arrived());
      CHECK(answer.value().error().code == errc::unavailable);
    }
    SUBCASE("while it waits for somebody") {
      memory_silent = true;
      const auto answer = ask_later<completion_started>(world, running, what);
      world.settle();
      CHECK_FALSE(answer.arrived());
      caf::anon_send_exit(running, caf::exit_reason::user_shutdown);
      world.settle();
      REQUIRE(answer.arrived());
      CHECK(answer.value().error().code == errc::unavailable);
    }
  }

  TEST_CASE_FIXTURE(gateway_case, "memories that come too late are gone without") {
    memory_silent = true;
    auto what = question(ada);
    what.asked.recalls = true;
    const auto answer = ask_later<completion_started>(world, running, what);
    world.settle();
    CHECK(!answer.arrived());
    world.advance(1s);
    REQUIRE(answer.arrived());
    CHECK(answer.value().has_value());
    CHECK(!engine->asked.at(0).system);
  }

  TEST_CASE_FIXTURE(gateway_case,
                    "nothing is recalled for a prompt without a user's turn") {
    auto what = question(ada);
    what.asked.recalls = true;
    what.asked.turns = {{"system", "Say hi."}};
    CHECK(ask(what).has_value());
    CHECK(recalled.empty());
  }

  TEST_CASE_FIXTURE(gateway_case, "texts are embedded and their tokens estimated") {
    const auto made = world.ask<embedded_for>(
        running, embed_for{ada, {{"four word"}, engines::text_purpose::document}});
    REQUIRE(made.has_value());
    CHECK(made->vectors.size() == 1);
    CHECK(made->tokens == 2);
    CHECK(embedded.at(0).purpose == engines::text_purpose::document);
    const auto alone = start(false);
    const auto refused_here =
        world.ask<embedded_for>(alone, embed_for{ada, {{"x"}, {}}});
    REQUIRE(!refused_here.has_value());
    CHECK(refused_here.error().reason == "no_embedder");
  }

  TEST_CASE_FIXTURE(gateway_case, "a quota is held before the engine is asked") {
    const auto on = metered();
    auto what = question(ada);
    what.asked.params.max_tokens = 7;
    auto started = world.ask<completion_started>(on, what);
    REQUIRE(started.has_value());
    REQUIRE(holds.size() == 1);
    CHECK(holds[0].who == ada);
    CHECK(holds[0].prompt_tokens == 1);
    CHECK(holds[0].reply_tokens == 7);
    engine->say(engines::text_ended{"stop", {3, 4, false}});
    world.tell(on, started->run->finish());
    REQUIRE(counts.size() == 1);
    REQUIRE(counts[0].size() == 1);
    CHECK(counts[0][0].who == ada);
    CHECK(counts[0][0].hold == 17);
    CHECK(counts[0][0].used == usage{3, 4, false});
    CHECK(counts[0][0].replies == 1);
    CHECK(counts[0][0].model == "one");
  }

  TEST_CASE_FIXTURE(gateway_case,
                    "who may use no more asks no engine and has no place") {
    refusing = true;
    const auto on = metered();
    for (auto i = 0; i < 3; ++i) {
      const auto refused_here = world.ask<completion_started>(on, question(ada));
      REQUIRE(!refused_here.has_value());
      CHECK(refused_here.error().reason == "quota_exceeded");
    }
    CHECK(engine->asked.empty());
    CHECK(counts.empty());
    refusing = false;
    CHECK(world.ask<completion_started>(on, question(ada)).has_value());
  }

  TEST_CASE_FIXTURE(gateway_case,
                    "a hold ends with a completion that failed, or was cut") {
    const auto on = metered();
    auto failed = world.ask<completion_started>(on, question(ada));
    engine->say(engines::text_failed{"broken"});
    world.tell(on, failed->run->finish());
    REQUIRE(counts.size() == 1);
    CHECK(counts[0][0].hold == 17);
    CHECK(counts[0][0].replies == 0);
    auto cut = world.ask<completion_started>(on, question(ada));
    engine->say(engines::text_made{"Hi", 2});
    cut->run.reset();
    world.settle();
    REQUIRE(counts.size() == 2);
    CHECK(counts[1][0].hold == 17);
    CHECK(counts[1][0].replies == 1);
    CHECK(counts[1][0].used == usage{1, 2, true});
  }

  TEST_CASE_FIXTURE(gateway_case, "where nobody has a limit nobody waits for METER") {
    limits = false;
    const auto on = metered();
    complete(on, 1);
    CHECK(holds.size() == 1); // nothing was known yet
    limits = true;
    complete(on, 1);
    complete(on, 1);
    CHECK(counts.size() == 1); // what comes soon after is its next batch
    world.advance(20ms);
    CHECK(counts.size() == 2);
    CHECK(counts.back().size() == 2);
    CHECK(holds.size() == 1);
    complete(on, 1); // the last count told of a limit
    CHECK(holds.size() == 2);
    CHECK(counts.size() == 3);
  }

  TEST_CASE_FIXTURE(gateway_case, "what comes while METER is busy is its next batch") {
    meter_busy = true;
    const auto on = metered();
    for (auto i = 1; i <= 3; ++i)
      complete(on, i);
    REQUIRE(counts.size() == 1);
    meter_busy = false;
    world.tell(books, hold_usage{ada, answer_now, {}});
    REQUIRE(counts.size() == 2);
    CHECK(counts[1].size() == 2);
  }

  TEST_CASE_FIXTURE(gateway_case,
                    "what METER could not count is told again, in bounds") {
    meter_away = true;
    const auto on = metered();
    for (auto i = 1; i <= 6; ++i)
      complete(on, i);
    meter_away = false;
    counts.clear();
    world.advance(2s);
    REQUIRE(!counts.empty());
    CHECK(counts[0].size() == 3);
    CHECK(counts[0][0].used.prompt_tokens == 1);
  }

  TEST_CASE_FIXTURE(gateway_case, "a service is neither limited nor counted") {
    const auto on = metered();
    auto started = world.ask<completion_started>(on, question(std::nullopt));
    REQUIRE(started.has_value());
    engine->say(engines::text_ended{"stop", {3, 4, false}});
    world.tell(on, started->run->finish());
    CHECK(holds.empty());
    CHECK(counts.empty());
  }

  TEST_CASE_FIXTURE(gateway_case, "embedded texts count, too") {
    const auto on = metered();
    CHECK(world.ask<embedded_for>(on, embed_for{ada, {{"four word"}, {}}}).has_value());
    REQUIRE(counts.size() == 1);
    CHECK(counts[0][0].model == "letters");
    CHECK(counts[0][0].used == usage{2, 0, true});
    CHECK(counts[0][0].replies == 0);
  }

  TEST_CASE_FIXTURE(gateway_case, "the engine's models are listed") {
    CHECK(world.ask<models_listed>(running, list_models{})->names ==
          std::vector<std::string>{"one", "two"});
  }
}
