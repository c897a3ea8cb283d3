#include "actors/hub.hpp"
#include "actors/inference.hpp"
#include "tests/fixtures/actor_world.hpp"
#include "tests/fixtures/scripted_engine.hpp"

#include <doctest/doctest.h>

TEST_SUITE_BEGIN("actors.inference");

namespace {

using namespace jessica;
using namespace jessica::actors;
using namespace std::chrono_literals;

/// A job with stand-ins for the database's actors and one listening client.
struct job_run {
  std::shared_ptr<test::scripted_engine> engine =
      std::make_shared<test::scripted_engine>();
  std::shared_ptr<test::recorded_outbox> client =
      std::make_shared<test::recorded_outbox>();
  std::vector<outcome> finished;
  std::vector<checkpoint> saved;
  std::vector<failure> failed;
  std::vector<job_id> ended;
  int prompts_asked = 0;
  result<bool> finish_answer = true;
  result<bool> save_answer = true;
  job_status give_up_answer = job_status::queued;
  result<prompt> prompt_answer = prompt{{}, {}, {{"user", "hello"}}};
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

  persistence_actor writer() {
    return world.own(world.sys().spawn(
        [this](persistence_actor::pointer) -> persistence_actor::behavior_type {
          return {[](const enqueue&) { return receipt{}; },
                  [this](const finish& msg) {
                    finished.push_back(msg.what);
                    return answer(finish_answer);
                  },
                  [this](const save_progress& msg) {
                    saved.push_back(msg.what);
                    return answer(save_answer);
                  },
                  [this](const give_up& msg) {
                    failed.push_back(msg.what);
                    return give_up_answer;
                  },
                  [](const use_lease&) {}};
        }));
  }

  reader_actor reader() {
    return world.own(
        world.sys().spawn([this](reader_actor::pointer) -> reader_actor::behavior_type {
          return {[](const select_rows&) { return table_page{}; },
                  [](const probe_topic&) { return storage::topic_rights{}; },
                  [this](const fetch_prompt&) {
                    ++prompts_asked;
                    return answer(prompt_answer);
                  },
                  [](are_you_free) { return done{}; }};
        }));
  }

  dispatcher_actor boss() {
    return world.own(world.sys().spawn(
        [this](dispatcher_actor::pointer) -> dispatcher_actor::behavior_type {
          return {[](const run_job&) {},
                  [this](job_ended msg) { ended.push_back(msg.id); }, [](beat) {},
                  [](drain) { return done{}; }, [](drain_deadline) {}};
        }));
  }

  inference_actor start() {
    const auto name = "conversation:" + what.conversation.str();
    REQUIRE(
        world.ask<channel_actor>(hub, join_topic{{name, true},
                                                 member{.socket = 1,
                                                        .out = client,
                                                        .version = wire::serializer::v1,
                                                        .topic = "realtime:" + name,
                                                        .join_ref = "1",
                                                        .ref = "1",
                                                        .self = false,
                                                        .join_response = "{}",
                                                        .greetings = {}}}));
    auto started =
        world.own(world.sys().spawn(inference,
                                    inference_deps{hub, writer(), reader(), boss(),
                                                   engine, std::chrono::seconds{1}},
                                    what));
    world.settle();
    return started;
  }

  void engine_says(engines::engine_event event) {
    engine->send(std::move(event));
    world.settle();
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
  REQUIRE(run.client->broadcasts("reply.completed").size() == 1);
  CHECK(run.client->broadcasts("reply.completed")[0].at("seq") == 3);
  CHECK(run.ended == std::vector<job_id>{{5}});
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
  run.save_answer = false;
  run.world.advance(1s);
  run.engine_says(engines::text_made{"a", 1});
  CHECK(run.engine->cancelled == 1);
  CHECK(run.ended.size() == 1);
  CHECK(run.client->broadcasts("reply.completed").empty());
  CHECK(run.client->broadcasts("reply.failed").empty());
}

TEST_CASE("a finish that the fence refuses is not announced") {
  auto run = job_run{};
  run.start();
  run.finish_answer = false;
  run.engine_says(engines::text_made{"a", 1});
  run.engine_says(engines::text_ended{"stop", {}});
  CHECK(run.client->broadcasts("reply.completed").empty());
  CHECK(run.ended.size() == 1);
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
  CHECK(run.ended.size() == 1);
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
    CHECK(run.client->broadcasts("reply.failed").size() == (final ? 1 : 0));
    CHECK(run.ended.size() == 1);
  }
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
  const auto name = "conversation:" + run.what.conversation.str();
  auto channel = run.world.ask<channel_actor>(run.hub, open_topic{{name, true}});
  REQUIRE(channel);
  caf::anon_send_exit(*channel, caf::exit_reason::unhandled_exception);
  run.world.settle();
  auto back = std::make_shared<test::recorded_outbox>();
  REQUIRE(run.world.ask<channel_actor>(
      run.hub, join_topic{{name, true},
                          member{.socket = 1,
                                 .out = back,
                                 .version = wire::serializer::v1,
                                 .topic = "realtime:" + name,
                                 .join_ref = "2",
                                 .ref = "2",
                                 .self = false,
                                 .join_response = "{}",
                                 .greetings = {}}}));
  REQUIRE(back->broadcasts("reply.snapshot").size() == 1);
  CHECK(back->broadcasts("reply.snapshot")[0].at("text") == "first ");
  run.engine_says(engines::text_made{"second", 1});
  REQUIRE(back->broadcasts("reply.delta").size() == 1);
  CHECK(back->broadcasts("reply.delta")[0].at("first_seq") == 2);
}

TEST_SUITE_END();
