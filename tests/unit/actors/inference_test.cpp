#include "actors/hub.hpp"
#include "actors/inference.hpp"
#include "tests/fixtures/actor_world.hpp"
#include "tests/fixtures/dispatcher_stand_in.hpp"
#include "tests/fixtures/scripted_engine.hpp"

#include <doctest/doctest.h>

#include <utility>

TEST_SUITE_BEGIN("actors.inference");

namespace {

using namespace jessica;
using namespace jessica::actors;
using namespace std::chrono_literals;

constexpr auto lease_time = 10s;

/// A job with stand-ins for the database's actors and one listening client.
struct job_run {
  std::shared_ptr<test::scripted_engine> engine =
      std::make_shared<test::scripted_engine>();
  std::shared_ptr<test::recorded_outbox> client =
      std::make_shared<test::recorded_outbox>();
  std::vector<outcome> finished;
  std::vector<checkpoint> saved;
  std::vector<failure> failed;
  std::vector<spending> lost; ///< what TELLER was told
  std::shared_ptr<std::vector<price>> prices = std::make_shared<std::vector<price>>(
      std::vector<price>{{"scripted", 1'000'000, 2'000'000}});
  int prompts_asked = 0;
  std::int64_t kept_asked = -1; ///< with the last prompt
  std::vector<recall_memories> recalled;
  result<memories_found> memory_answer = memories_found{};
  bool memory_silent = false;
  bool remembers = false; ///< there is a MEMORY
  result<bool> finish_answer = true;
  result<job_hold> save_answer = job_hold::ours;
  bool hold_saves = false; ///< answer checkpoints only when told to
  std::shared_ptr<lease_watch> lease = std::make_shared<lease_watch>();
  job_status give_up_answer = job_status::queued;
  result<prompt> prompt_answer = prompt{{}, {}, {{"user", "hello"}}};
  test::dispatcher_stand_in boss;
  test::actor_world world;
  hub_actor hub = world.own(world.sys().spawn(actors::hub));
  job what{.id = {5},
           .attempt = 1,
           .user = user_id::make(),
           .conversation = conversation_id::make(),
           .message = message_id::make(),
           .reply = message_id::make(),
           .params = "{}",
           .cancelled = false};

  /// A promise may only be kept by the actor that gave it.
  using manual_writer = persistence_actor::extend<caf::reacts_to<done>>;
  struct writer_state {
    std::vector<caf::typed_response_promise<job_hold>> open;
  };
  manual_writer saver;

  persistence_actor writer() {
    saver = world.own(
        world.sys().spawn([this](manual_writer::stateful_pointer<writer_state> self)
                              -> manual_writer::behavior_type {
          return {[](const enqueue&) { return receipt{}; },
                  [this](const finish& msg) {
                    finished.push_back(msg.what);
                    return answer(finish_answer);
                  },
                  [this, self](const save_progress& msg) {
                    saved.push_back(msg.what);
                    auto asker = self->make_response_promise<job_hold>();
                    if (hold_saves)
                      self->state.open.push_back(asker);
                    else if (save_answer)
                      asker.deliver(*save_answer);
                    else
                      asker.deliver(to_caf(save_answer.error()));
                    return asker;
                  },
                  [this](const give_up& msg) {
                    failed.push_back(msg.what);
                    return give_up_answer;
                  },
                  [](const use_lease&) {},
                  [this, self](done) {
                    for (auto& asker : std::exchange(self->state.open, {}))
                      asker.deliver(*save_answer);
                  }};
        }));
    return caf::actor_cast<persistence_actor>(saver);
  }

  void answer_saves() { world.tell(saver, done{}); }

  reader_actor reader() {
    return world.own(
        world.sys().spawn([this](reader_actor::pointer) -> reader_actor::behavior_type {
          return {[](const stop_reply&) { return stop_receipt{}; },
                  [](const find_ended&) { return ended_logins{}; },
                  [this](const fetch_prompt& msg) {
                    ++prompts_asked;
                    kept_asked = msg.kept;
                    return answer(prompt_answer);
                  },
                  [](const store_broadcast&) { return done{}; },
                  [](const fetch_stored&) { return stored_page{}; },
                  [](const change_branch&) { return receipt{}; },
                  [](are_you_free) { return done{}; }};
        }));
  }

  memory_actor memory() {
    if (!remembers)
      return {};
    return world.own(world.sys().spawn(
        [this](memory_actor::pointer self) -> memory_actor::behavior_type {
          return {
              [](const search_memory&) { return memories_found{}; },
              [this, self](const recall_memories& msg) -> caf::result<memories_found> {
                recalled.push_back(msg);
                if (memory_silent)
                  return self->make_response_promise<memories_found>();
                return answer(memory_answer);
              }};
        }));
  }

  teller_actor teller() {
    return world.own(
        world.sys().spawn([this](teller_actor::pointer) -> teller_actor::behavior_type {
          return {[](const hold_quota&) { return quota_hold{}; },
                  [this](const spend& msg) {
                    lost.push_back(msg.what);
                    return done{};
                  },
                  [](const spend_all&) { return all_spent{}; },
                  [](are_you_free) { return done{}; }};
        }));
  }

  static newcomer joining(std::shared_ptr<test::recorded_outbox> out, std::string ref) {
    auto who = newcomer{};
    who.member.socket = 1;
    who.member.out = std::move(out);
    who.member.version = wire::serializer::v1;
    who.member.join_ref = who.ref = std::move(ref);
    who.join_response = "{}";
    return who;
  }

  inference_actor start() {
    lease->extend(world.now() + lease_time);
    const auto name = "conversation:" + what.conversation.str();
    REQUIRE(world.ask<open_room>(hub, join_topic{{name, true}, joining(client, "1")}));
    auto started = world.own(world.sys().spawn(
        inference,
        inference_deps{hub, writer(), reader(), boss.in(world), engine, lease,
                       std::chrono::seconds{1}, memory(),
                       std::chrono::milliseconds{300}, titler_actor{},
                       inference_tools{}, prices, teller()},
        what));
    world.settle();
    return started;
  }

  void engine_says(engines::engine_event event) {
    engine->send(std::move(event));
    world.settle();
  }

  [[nodiscard]] std::string topic_name() const {
    return "conversation:" + what.conversation.str();
  }
  void crash_channel() {
    auto channel = world.ask<open_room>(hub, open_topic{{topic_name(), true}});
    REQUIRE(channel);
    caf::anon_send_exit(channel->channel, caf::exit_reason::unhandled_exception);
    world.settle();
  }
  /// A client in the channel that there is now.
  std::shared_ptr<test::recorded_outbox> join_again() {
    auto back = std::make_shared<test::recorded_outbox>();
    REQUIRE(world.ask<open_room>(hub,
                                 join_topic{{topic_name(), true}, joining(back, "2")}));
    return back;
  }
};

} // namespace

TEST_CASE("a job streams numbered tokens and completes after its commit") {
  auto run = job_run{};
  run.start();
  REQUIRE(run.engine->asked.size() == 1);
  CHECK(run.engine->asked[0].turns.back().content == "hello");
  REQUIRE(run.client->broadcasts("reply.started").size() == 1);
  CHECK(run.client->broadcasts("reply.started")[0].at("model") == "scripted");
  run.engine_says(engines::text_made{"Hi ", 1});
  run.engine_says(engines::text_made{"there friend", 2});
  const auto deltas = run.client->broadcasts("reply.delta");
  REQUIRE(deltas.size() == 2);
  CHECK(deltas[0].at("first_seq") == 1);
  CHECK(deltas[1].at("first_seq") == 2);
  CHECK(deltas[1].at("seq") == 3);
  CHECK(run.client->broadcasts("reply.completed").empty());
  run.engine_says(engines::text_ended{"stop", {4, 3, true}});
  REQUIRE(run.finished.size() == 1);
  CHECK(run.finished[0].content == "Hi there friend");
  CHECK(run.finished[0].used.completion_tokens == 3);
  CHECK(run.finished[0].used.cost == amount{10'000'000});
  CHECK(run.finished[0].finish_reason == "stop");
  REQUIRE(run.client->broadcasts("reply.completed").size() == 1);
  CHECK(run.client->broadcasts("reply.completed")[0].at("seq") == 3);
  CHECK(run.client->broadcasts("reply.completed")[0].at("usage").at("cost") == 0.00001);
  CHECK(run.lost.empty());
  CHECK(run.boss.ended == std::vector<job_id>{{5}});
}

TEST_CASE("what was said earlier is given to the engine, and the members hear of it") {
  auto run = job_run{};
  run.remembers = true;
  auto one = found_memory{};
  one.message = message_id::make();
  one.conversation = conversation_id::make();
  one.score = 0.75F;
  one.excerpt = "The dog is called Rex";
  run.memory_answer = memories_found{{one}};
  run.prompt_answer = prompt{"Be kind.", {}, {{"user", "hello", message_id::make()}}};
  run.start();
  REQUIRE(run.recalled.size() == 1);
  CHECK(run.recalled[0].user == run.what.user);
  CHECK(run.recalled[0].text == "hello");
  CHECK(run.recalled[0].shown ==
        std::vector<message_id>{run.prompt_answer->turns[0].id});
  REQUIRE(run.engine->asked.size() == 1);
  const auto& asked = run.engine->asked[0];
  CHECK(asked.system->starts_with("Be kind."));
  CHECK(asked.system->contains("The dog is called Rex"));
  REQUIRE(asked.memories.size() == 1);
  CHECK(asked.memories[0].message == one.message);
  const auto started = run.client->broadcasts("reply.started");
  REQUIRE(started.size() == 1);
  const auto& told = started[0].at("memories").as_array().at(0).as_object();
  CHECK(told.at("message_id").as_string() == one.message.str());
  CHECK(told.at("conversation_id").as_string() == one.conversation.str());
  CHECK(told.at("excerpt").as_string() == one.excerpt);
}

TEST_CASE("nothing found leaves the prompt as it is") {
  auto run = job_run{};
  run.remembers = true;
  run.start();
  REQUIRE(run.engine->asked.size() == 1);
  CHECK_FALSE(run.engine->asked[0].system);
  CHECK(run.client->broadcasts("reply.started")[0].at("memories").as_array().empty());
}

TEST_CASE("a conversation without memory asks for none") {
  auto run = job_run{};
  run.remembers = true;
  run.prompt_answer->recalls = false;
  run.start();
  CHECK(run.recalled.empty());
  CHECK(run.engine->asked.size() == 1);
}

TEST_CASE("memory that fails or is late does not hold a reply up") {
  auto run = job_run{};
  run.remembers = true;
  SUBCASE("fails") {
    run.memory_answer = fail(errc::unavailable, "no database");
    run.start();
    CHECK(run.engine->asked.size() == 1);
  }
  SUBCASE("late") {
    run.memory_silent = true;
    run.start();
    CHECK(run.engine->asked.empty());
    run.world.advance(299ms);
    CHECK(run.engine->asked.empty());
    run.world.advance(1ms);
    REQUIRE(run.engine->asked.size() == 1);
    CHECK(run.client->broadcasts("reply.started").size() == 1);
  }
}

TEST_CASE("a job that is stopped while it remembers never asks the engine") {
  auto run = job_run{};
  run.remembers = true;
  run.memory_silent = true;
  const auto job = run.start();
  run.world.tell(job, stop_job{});
  run.world.advance(1s);
  CHECK(run.engine->asked.empty());
  REQUIRE(run.finished.size() == 1);
  CHECK(run.finished[0].cancelled);
}

TEST_CASE("what a model thinks is told, and is no part of the reply") {
  auto run = job_run{};
  run.start();
  run.world.advance(1s);
  run.engine_says(engines::reasoning_made{"let me "});
  run.engine_says(engines::reasoning_made{"see"}); // too soon: goes with the next event
  run.engine_says(engines::text_made{"42", 1});
  run.engine_says(engines::text_ended{"stop", {}});
  const auto thoughts = run.client->broadcasts("reply.reasoning");
  REQUIRE(thoughts.size() == 2);
  CHECK(thoughts[0].at("text") == "let me ");
  CHECK(thoughts[1].at("text") == "see");
  CHECK(thoughts[1].at("attempt") == 1);
  REQUIRE(run.finished.size() == 1);
  CHECK(run.finished[0].content == "42");
}

TEST_CASE("the model that answers is told when it is another, and stored") {
  auto run = job_run{};
  run.start();
  run.engine_says(engines::model_changed{"spare"});
  run.engine_says(engines::text_made{"x", 1});
  run.engine_says(engines::text_ended{"stop", {}});
  REQUIRE(run.client->broadcasts("reply.model").size() == 1);
  CHECK(run.client->broadcasts("reply.model")[0].at("model") == "spare");
  CHECK(run.finished.at(0).model == "spare");
}

TEST_CASE("the engine gets the params of the job") {
  auto run = job_run{};
  run.what.params = R"({"model":"m","temperature":0.5,"system":"be brief"})";
  run.start();
  REQUIRE(run.engine->asked.size() == 1);
  CHECK(run.engine->asked[0].params.model == "m");
  CHECK(run.engine->asked[0].params.temperature == 0.5);
  CHECK(run.engine->asked[0].system == "be brief");
}

TEST_CASE("a job whose params cannot be is given up, not tried again") {
  auto run = job_run{};
  run.what.params = R"({"temperature":"hot"})";
  run.start();
  CHECK(run.engine->asked.empty());
  REQUIRE(run.failed.size() == 1);
  CHECK_FALSE(run.failed[0].retryable);
  CHECK(run.failed[0].what == "params.temperature must be a number from 0 to 2");
}

TEST_CASE("text so far is saved at most once a second") {
  auto run = job_run{};
  run.start();
  run.engine_says(engines::text_made{"a", 1});
  CHECK(run.saved.empty());
  run.world.advance(1s);
  run.engine_says(engines::text_made{"b", 1});
  run.engine_says(engines::text_made{"c", 1});
  REQUIRE(run.saved.size() == 1);
  CHECK(run.saved[0].partial == "ab");
}

TEST_CASE("a job that is no longer ours stops its engine and says nothing more") {
  auto run = job_run{};
  run.start();
  run.save_answer = job_hold::lost;
  run.world.advance(1s);
  run.engine_says(engines::text_made{"a", 1});
  CHECK(run.engine->cancelled == 1);
  CHECK(run.boss.ended.size() == 1);
  CHECK(run.client->broadcasts("reply.completed").empty());
  CHECK(run.client->broadcasts("reply.failed").empty());
}

TEST_CASE("a model without a price costs nothing that is told") {
  auto run = job_run{};
  run.prices->clear();
  run.start();
  run.engine_says(engines::text_made{"a", 1});
  run.engine_says(engines::text_ended{"stop", {4, 3, false}});
  REQUIRE(run.finished.size() == 1);
  CHECK_FALSE(run.finished[0].used.cost);
}

TEST_CASE("an engine that failed before it said anything used nothing") {
  auto run = job_run{};
  run.start();
  run.engine_says(engines::text_failed{"no connection", true});
  REQUIRE(run.failed.size() == 1);
  CHECK(run.failed[0].used == usage{});
}

TEST_CASE("what a lost job used is counted apart from it") {
  for (const auto at_checkpoint : {true, false}) {
    CAPTURE(at_checkpoint);
    auto run = job_run{};
    run.start();
    run.save_answer = at_checkpoint ? job_hold::lost : job_hold::ours;
    run.finish_answer = false;
    run.world.advance(1s);
    run.engine_says(engines::text_made{"a", 1});
    if (!at_checkpoint)
      run.engine_says(engines::text_ended{"stop", {4, 3, false}});
    REQUIRE(run.lost.size() == 1);
    CHECK(run.lost[0].user == run.what.user);
    CHECK(run.lost[0].job == run.what.id);
    CHECK(run.lost[0].model == "scripted");
    CHECK(run.lost[0].used == (at_checkpoint ? usage{1, 1, true, amount{3'000'000}}
                                             : usage{4, 3, false, amount{10'000'000}}));
  }
}

TEST_CASE("a finish that the fence refuses is not announced") {
  auto run = job_run{};
  run.start();
  run.finish_answer = false;
  run.engine_says(engines::text_made{"a", 1});
  run.engine_says(engines::text_ended{"stop", {}});
  CHECK(run.lost.empty()); // it used nothing
  CHECK(run.client->broadcasts("reply.completed").empty());
  CHECK(run.boss.ended.size() == 1);
}

TEST_CASE("a finish is tried again while the database is away") {
  auto run = job_run{};
  run.start();
  run.finish_answer = fail(errc::unavailable, "down");
  run.engine_says(engines::text_made{"a", 1});
  run.engine_says(engines::text_ended{"stop", {}});
  run.world.advance(2s);
  CHECK(run.finished.size() > 1);
  CHECK(run.client->broadcasts("reply.completed").empty());
  run.finish_answer = true;
  run.world.advance(1s);
  CHECK(run.client->broadcasts("reply.completed").size() == 1);
  CHECK(run.boss.ended.size() == 1);
}

TEST_CASE("a prompt is asked for again while the database is away") {
  auto run = job_run{};
  run.prompt_answer = fail(errc::unavailable, "down");
  run.start();
  CHECK(run.engine->asked.empty());
  run.prompt_answer = prompt{{}, {}, {{"user", "hello"}}};
  run.world.advance(1s);
  CHECK(run.engine->asked.size() == 1);
  CHECK(run.prompts_asked == 2);
}

TEST_CASE("a failed engine gives the job up: dead is told, a retry is not") {
  for (const auto final : {true, false}) {
    CAPTURE(final);
    auto run = job_run{};
    run.give_up_answer = final ? job_status::dead : job_status::queued;
    run.start();
    run.engine_says(engines::text_made{"a", 1});
    run.engine_says(engines::text_failed{"the provider said no", !final});
    REQUIRE(run.failed.size() == 1);
    CHECK(run.failed[0].retryable == !final);
    CHECK(run.failed[0].used == usage{1, 1, true, amount{3'000'000}});
    CHECK(run.failed[0].model == "scripted");
    CHECK(run.client->broadcasts("reply.failed").size() == (final ? 1 : 0));
    CHECK(run.boss.ended.size() == 1);
  }
}

TEST_CASE("a failed reply keeps all that was said: it is stored before the failure") {
  auto run = job_run{};
  run.give_up_answer = job_status::dead;
  run.start();
  run.engine_says(engines::text_made{"a", 1});
  run.world.advance(1s);
  run.engine_says(engines::text_made{"b", 1});
  run.hold_saves = true;
  run.engine_says(engines::text_made{"c", 1});
  SUBCASE("what the last checkpoint did not hold") {
    run.engine_says(engines::text_failed{"cut", true});
  }
  SUBCASE("after a checkpoint that is still on its way") {
    run.world.advance(1s);
    run.engine_says(engines::text_made{"d", 1});
    run.engine_says(engines::text_made{"e", 1});
    run.engine_says(engines::text_failed{"cut", true});
    CHECK(run.saved.size() == 2);
    run.answer_saves();
    run.world.settle();
  }
  CHECK(run.failed.empty());
  CHECK(run.saved.back().partial.starts_with("abc"));
  CHECK(run.saved.back().partial.size() == (run.saved.size() == 2 ? 3 : 5));
  run.answer_saves();
  run.world.settle();
  REQUIRE(run.failed.size() == 1);
  CHECK(run.client->broadcasts("reply.failed").size() == 1);
  CHECK(run.boss.ended.size() == 1);
}

TEST_CASE("a failed reply whose last words cannot be stored fails all the same") {
  auto run = job_run{};
  run.start();
  run.engine_says(engines::text_made{"a", 1});
  SUBCASE("never") {
    run.save_answer = fail(errc::internal, "no");
    run.engine_says(engines::text_failed{"cut", true});
  }
  SUBCASE("not now") {
    run.save_answer = fail(errc::unavailable, "no database");
    run.engine_says(engines::text_failed{"cut", true});
    CHECK(run.failed.empty());
    run.save_answer = job_hold::ours;
    run.world.advance(500ms);
  }
  CHECK(run.failed.size() == 1);
  CHECK(run.boss.ended.size() == 1);
}

TEST_CASE("a long thought is told in parts that are never too long") {
  auto run = job_run{};
  run.start();
  run.world.advance(1s);
  auto thought = std::string{"x"};
  for (auto i = 0; i < 20'000; ++i)
    thought += "\u00e9";
  run.engine_says(engines::reasoning_made{thought});
  auto all = std::string{};
  for (const auto& one : run.client->broadcasts("reply.reasoning")) {
    const auto part = std::string{one.at("text").as_string()};
    CHECK(part.size() <= 16'384);
    all += part;
  }
  CHECK(all == thought);
}

TEST_CASE("a second attempt is announced by a reset") {
  auto run = job_run{};
  run.what.attempt = 2;
  run.start();
  CHECK(run.client->broadcasts("reply.reset").size() == 1);
}

TEST_CASE("an ended job cancels its engine and frees the channel") {
  auto run = job_run{};
  auto running = run.start();
  run.engine_says(engines::text_made{"a", 1});
  caf::anon_send_exit(running, caf::exit_reason::user_shutdown);
  run.world.settle();
  CHECK(run.engine->cancelled == 1);
  auto late = std::make_shared<test::recorded_outbox>();
  run.client = late;
  run.start(); // a new attempt: the old text must not be in its snapshot
  CHECK(late->broadcasts("reply.snapshot").empty());
}

TEST_CASE("a channel that crashed is replaced and brought up to date") {
  auto run = job_run{};
  run.start();
  run.engine_says(engines::text_made{"first ", 1});
  run.crash_channel();
  const auto back = run.join_again();
  REQUIRE(back->broadcasts("reply.snapshot").size() == 1);
  CHECK(back->broadcasts("reply.snapshot")[0].at("text") == "first ");
  run.engine_says(engines::text_made{"second", 1});
  REQUIRE(back->broadcasts("reply.delta").size() == 1);
  CHECK(back->broadcasts("reply.delta")[0].at("first_seq") == 2);
}

TEST_CASE("a channel that crashed while the end is stored is replaced to tell of it") {
  auto run = job_run{};
  run.start();
  run.engine_says(engines::text_made{"all ", 1});
  run.finish_answer = fail(errc::unavailable, "down");
  run.engine_says(engines::text_ended{"stop", {}});
  run.crash_channel();
  const auto back = run.join_again();
  REQUIRE(back->broadcasts("reply.snapshot").size() == 1);
  CHECK(back->broadcasts("reply.completed").empty());
  run.finish_answer = true;
  run.world.advance(1s);
  REQUIRE(back->broadcasts("reply.completed").size() == 1);
  CHECK(back->broadcasts("reply.completed")[0].at("seq") == 1);
}

TEST_CASE("a new channel is not told what the lease's doubt holds back") {
  auto run = job_run{};
  run.start();
  run.engine_says(engines::text_made{"told ", 1});
  run.world.advance(lease_time);
  run.engine_says(engines::text_made{"untold", 1});
  run.crash_channel();
  const auto back = run.join_again();
  REQUIRE(back->broadcasts("reply.snapshot").size() == 1);
  CHECK(back->broadcasts("reply.snapshot")[0].at("text") == "told ");
  CHECK(back->broadcasts("reply.snapshot")[0].at("seq") == 1);
  run.engine_says(engines::text_ended{"stop", {}}); // the commit says it was ours
  REQUIRE(back->broadcasts("reply.delta").size() == 1);
  CHECK(back->broadcasts("reply.delta")[0].at("first_seq") == 2);
}

TEST_CASE("a checkpoint says what was used so far, and who lost the job says it too") {
  auto run = job_run{};
  run.start();
  run.world.advance(1s);
  run.engine_says(engines::text_made{"a", 2});
  REQUIRE(run.saved.size() == 1);
  CHECK(run.saved[0].used == usage{1, 2, true, amount{5'000'000}});
  CHECK(run.saved[0].model == "scripted");
  run.engine_says(engines::text_made{"b", 3});
  run.finish_answer = false;
  run.engine_says(engines::text_ended{"stop", {4, 6, false}});
  REQUIRE(run.lost.size() == 1);
  CHECK(run.lost[0].used == usage{4, 6, false, amount{16'000'000}});
  CHECK(run.lost[0].saved == run.saved[0].used);
}

TEST_CASE("while no channel can be had the reply goes on, and waits for one") {
  auto run = job_run{};
  const auto running = run.start();
  run.engine_says(engines::text_made{"first ", 1});
  caf::anon_send_exit(run.hub, caf::exit_reason::unhandled_exception);
  run.world.settle();
  run.world.advance(std::chrono::seconds{2});
  CHECK(run.failed.empty());
  CHECK(run.engine->cancelled == 0);
  run.engine_says(engines::text_made{"second", 1});
  run.world.tell(running, stop_job{});
  REQUIRE(run.finished.size() == 1);
  CHECK(run.finished[0].content == "first second");
}

TEST_CASE("a stop cancels the engine at once and keeps what there is") {
  auto run = job_run{};
  auto running = run.start();
  run.engine_says(engines::text_made{"half a ", 2});
  run.world.tell(running, stop_job{});
  CHECK(run.engine->cancelled == 1);
  REQUIRE(run.finished.size() == 1);
  CHECK(run.finished[0].cancelled);
  CHECK(run.finished[0].content == "half a ");
  CHECK(run.finished[0].used.completion_tokens == 2);
  CHECK(run.finished[0].used.estimated);
  CHECK(run.finished[0].used.cost == amount{5'000'000});
  REQUIRE(run.client->broadcasts("reply.cancelled").size() == 1);
  CHECK(run.client->broadcasts("reply.cancelled")[0].at("seq") == 2);
  CHECK(run.client->broadcasts("reply.completed").empty());
  CHECK(run.boss.ended.size() == 1);
}

TEST_CASE("a second stop, or one after the end, changes nothing") {
  auto run = job_run{};
  auto running = run.start();
  run.finish_answer = fail(errc::unavailable, "down");
  run.engine_says(engines::text_made{"all of it", 2});
  run.engine_says(engines::text_ended{"stop", {4, 2, false}});
  run.world.tell(running, stop_job{});
  run.world.tell(running, stop_job{});
  run.finish_answer = true;
  run.world.advance(1s);
  CHECK(!run.finished.back().cancelled);
  CHECK(run.client->broadcasts("reply.completed").size() == 1);
}

TEST_CASE("a stop before the first token is told and stored") {
  auto run = job_run{};
  run.prompt_answer = fail(errc::unavailable, "down");
  auto running = run.start();
  run.world.tell(running, stop_job{});
  REQUIRE(run.finished.size() == 1);
  CHECK(run.finished[0].cancelled);
  CHECK(run.client->broadcasts("reply.cancelled").size() == 1);
  run.prompt_answer = prompt{{}, {}, {{"user", "hello"}}};
  run.world.advance(5s);
  CHECK(run.engine->asked.empty());
}

TEST_CASE("a job that was cancelled before its start asks no engine") {
  auto run = job_run{};
  run.what.cancelled = true;
  run.start();
  CHECK(run.engine->asked.empty());
  REQUIRE(run.finished.size() == 1);
  CHECK(run.finished[0].cancelled);
  CHECK(run.client->broadcasts("reply.cancelled").size() == 1);
  CHECK(run.boss.ended.size() == 1);
}

TEST_CASE("a checkpoint that finds the job cancelled stops it") {
  auto run = job_run{};
  run.start();
  run.save_answer = job_hold::cancelled;
  run.world.advance(1s);
  run.engine_says(engines::text_made{"a", 1});
  REQUIRE(run.finished.size() == 1);
  CHECK(run.finished[0].cancelled);
}

TEST_CASE("the end is stored after the checkpoint under way, never beside it") {
  auto run = job_run{};
  run.hold_saves = true;
  run.start();
  run.world.advance(1s);
  run.engine_says(engines::text_made{"a", 1});
  run.engine_says(engines::text_ended{"stop", {}});
  REQUIRE(run.saved.size() == 1);
  CHECK(run.finished.empty());
  run.answer_saves();
  REQUIRE(run.finished.size() == 1);
  CHECK(run.client->broadcasts("reply.completed").size() == 1);
}

TEST_CASE("tokens are held back while the lease is in doubt, and none is lost") {
  auto run = job_run{};
  run.start();
  run.engine_says(engines::text_made{"seen ", 1});
  run.world.advance(lease_time);
  run.engine_says(engines::text_made{"held ", 1});
  run.engine_says(engines::text_made{"back ", 1});
  CHECK(run.client->broadcasts("reply.delta").size() == 1);
  run.lease->extend(run.world.now() + lease_time);
  run.engine_says(engines::text_made{"now", 1});
  const auto deltas = run.client->broadcasts("reply.delta");
  REQUIRE(deltas.size() == 2);
  CHECK(deltas[1].at("first_seq") == 2);
  CHECK(deltas[1].at("seq") == 4);
  CHECK(deltas[1].at("text") == "held back now");
}

TEST_CASE(
    "what was held back is told when the end is stored, and not when it is lost") {
  for (const auto ours : {true, false}) {
    CAPTURE(ours);
    auto run = job_run{};
    run.finish_answer = ours;
    run.start();
    run.world.advance(lease_time);
    run.engine_says(engines::text_made{"held", 1});
    run.engine_says(engines::text_ended{"stop", {}});
    CHECK(run.client->broadcasts("reply.delta").size() == (ours ? 1 : 0));
    CHECK(run.client->broadcasts("reply.completed").size() == (ours ? 1 : 0));
  }
}

namespace {

/// The second attempt at a reply that was stopped after "half of ".
struct job_that_goes_on : job_run {
  job_that_goes_on() {
    what.attempt = 2;
    what.kept = 8;
    prompt_answer->so_far = "half of ";
  }
};

} // namespace

TEST_CASE("a reply that goes on shows its text first, then what is new from 1") {
  auto run = job_that_goes_on{};
  run.start();
  CHECK(run.kept_asked == 8);
  REQUIRE(run.engine->asked.size() == 1);
  CHECK(run.engine->asked[0].so_far == "half of ");
  const auto all = run.client->messages();
  auto events = std::vector<std::string>{};
  for (const auto& one : all)
    if (one.at("event") == "broadcast")
      events.emplace_back(one.at("payload").at("event").as_string());
  CHECK(events ==
        std::vector<std::string>{"reply.reset", "reply.started", "reply.snapshot"});
  CHECK(run.client->broadcasts("reply.reset")[0].at("reason") == "continue");
  const auto snapshot = run.client->broadcasts("reply.snapshot")[0];
  CHECK(snapshot.at("text") == "half of ");
  CHECK(snapshot.at("seq") == 0);
  CHECK(snapshot.at("attempt") == 2);
  run.engine_says(engines::text_made{"it", 1});
  const auto delta = run.client->broadcasts("reply.delta").at(0);
  CHECK(delta.at("first_seq") == 1);
  CHECK(delta.at("text") == "it");
  run.engine_says(engines::text_ended{"stop", {4, 1, true}});
  CHECK(run.finished.at(0).content == "half of it");
  CHECK(run.client->broadcasts("reply.completed").at(0).at("seq") == 1);
}

TEST_CASE("whoever joins while a reply goes on gets all of it") {
  auto run = job_that_goes_on{};
  run.start();
  run.engine_says(engines::text_made{"it", 1});
  auto late = std::make_shared<test::recorded_outbox>();
  const auto name = "conversation:" + run.what.conversation.str();
  REQUIRE(run.world.ask<open_room>(
      run.hub, join_topic{{name, true}, job_run::joining(late, "2")}));
  const auto snapshot = late->broadcasts("reply.snapshot").at(0);
  CHECK(snapshot.at("text") == "half of it");
  CHECK(snapshot.at("seq") == 1);
}

TEST_CASE("a reply that goes on loses nothing when it is stopped or fails") {
  auto run = job_that_goes_on{};
  SUBCASE("stopped before a token") {
    run.world.tell(run.start(), stop_job{});
    CHECK(run.finished.at(0).content == "half of ");
    CHECK(run.finished.at(0).used.completion_tokens == 0);
  }
  SUBCASE("stopped after one") {
    const auto running = run.start();
    run.engine_says(engines::text_made{"it", 1});
    run.world.tell(running, stop_job{});
    CHECK(run.finished.at(0).content == "half of it");
    CHECK(run.finished.at(0).used.completion_tokens == 1);
  }
  SUBCASE("stopped while it remembers") {
    run.remembers = true;
    run.memory_silent = true;
    run.world.tell(run.start(), stop_job{});
    CHECK(run.finished.at(0).content == "half of ");
  }
  SUBCASE("fails before a token: there is nothing to save") {
    run.start();
    run.engine_says(engines::text_failed{"boom", false});
    CHECK(run.saved.empty());
    CHECK(run.failed.size() == 1);
  }
  SUBCASE("fails after one") {
    run.start();
    run.engine_says(engines::text_made{"it", 1});
    run.engine_says(engines::text_failed{"boom", false});
    CHECK(run.saved.at(0).partial == "half of it");
  }
}

TEST_CASE("what is on other branches is not remembered") {
  auto run = job_run{};
  run.remembers = true;
  const auto other = message_id::make();
  run.prompt_answer->set_aside = {other};
  run.start();
  CHECK(run.recalled.at(0).shown.back() == other);
}

TEST_SUITE_END();
