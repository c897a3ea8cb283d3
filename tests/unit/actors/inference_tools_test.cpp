#include "actors/hub.hpp"
#include "actors/inference.hpp"
#include "tests/fixtures/actor_world.hpp"
#include "tests/fixtures/dispatcher_stand_in.hpp"
#include "tests/fixtures/scripted_engine.hpp"
#include "tests/fixtures/scripted_tools.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

TEST_SUITE_BEGIN("actors.inference_tools");

namespace {

using namespace jessica;
using namespace jessica::actors;
using namespace std::chrono_literals;

/// A reply whose engine may call the tools add and sub, with one listening client.
struct tool_run {
  std::shared_ptr<test::scripted_engine> engine =
      std::make_shared<test::scripted_engine>();
  std::shared_ptr<test::scripted_tools> tools =
      std::make_shared<test::scripted_tools>(std::vector<std::string>{"add", "sub"});
  std::shared_ptr<test::recorded_outbox> client =
      std::make_shared<test::recorded_outbox>();
  std::vector<outcome> finished;
  std::vector<failure> failed;
  std::vector<search_memory> searched;
  result<memories_found> memory_answer = memories_found{};
  bool memory_silent = false;
  bool remembers = false; ///< there is a MEMORY
  inference_tools limits = {.runner = tools, .rounds = 2, .at_once = 2};
  prompt asked = prompt{{}, {}, {{"user", "hello", message_id::make()}}};
  std::shared_ptr<lease_watch> lease = std::make_shared<lease_watch>();
  test::dispatcher_stand_in boss;
  test::actor_world world;
  hub_actor hub = world.own(world.sys().spawn(actors::hub));
  inference_actor running;
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
                    return true;
                  },
                  [](const save_progress&) { return job_hold::ours; },
                  [this](const give_up& msg) {
                    failed.push_back(msg.what);
                    return job_status::dead;
                  },
                  [](const use_lease&) {}};
        }));
  }

  reader_actor reader() {
    return world.own(
        world.sys().spawn([this](reader_actor::pointer) -> reader_actor::behavior_type {
          return {[](const stop_reply&) { return stop_receipt{}; },
                  [](const find_ended&) { return ended_logins{}; },
                  [this](const fetch_prompt&) { return asked; },
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
              [this, self](const search_memory& msg) -> caf::result<memories_found> {
                searched.push_back(msg);
                if (memory_silent)
                  return self->make_response_promise<memories_found>();
                return answer(memory_answer);
              },
              [](const recall_memories&) { return memories_found{}; }};
        }));
  }

  void start() {
    lease->extend(world.now() + 60s);
    REQUIRE(world.ask<open_room>(hub, join_topic{where(), joining(client)}));
    running = world.own(world.sys().spawn(inference,
                                          inference_deps{hub,
                                                         writer(),
                                                         reader(),
                                                         boss.in(world),
                                                         engine,
                                                         lease,
                                                         1s,
                                                         memory(),
                                                         300ms,
                                                         {},
                                                         limits},
                                          what));
    world.settle();
  }

  [[nodiscard]] newcomer
  joining(const std::shared_ptr<test::recorded_outbox>& out) const {
    auto who = newcomer{};
    who.member.socket = 1;
    who.member.out = out;
    who.member.version = wire::serializer::v1;
    who.member.join_ref = who.ref = "1";
    who.join_response = "{}";
    return who;
  }
  [[nodiscard]] topic where() const {
    return {"conversation:" + what.conversation.str(), true};
  }

  void says(engines::engine_event event) {
    engine->send(std::move(event));
    world.settle();
  }
  void calls(std::vector<tool_call> what_calls, usage used = {10, 2, false}) {
    says(engines::tools_called{std::move(what_calls), used});
  }
  void ends(std::size_t call, std::string result, bool broken = false) {
    tools->end(call, std::move(result), broken);
    world.settle();
  }
  /// "name:status" of what members heard of tools.
  [[nodiscard]] std::vector<std::string> told() const {
    auto all = std::vector<std::string>{};
    for (const auto& one : client->broadcasts("reply.tool"))
      all.push_back(std::string{one.at("call_id").as_string()} + ":" +
                    std::string{one.at("status").as_string()});
    return all;
  }
  [[nodiscard]] std::vector<std::string> offered() const {
    auto names = std::vector<std::string>{};
    for (const auto& one : engine->asked.back().tools)
      names.push_back(one.name);
    return names;
  }
};

using strings = std::vector<std::string>;

} // namespace

TEST_CASE("a tool is called, its result goes to the engine, and the reply is one") {
  auto run = tool_run{};
  run.start();
  CHECK(run.offered() == strings{"add", "sub"});
  run.says(engines::text_made{"Let me see.", 3});
  run.calls({{"c1", "add", R"({"x":1})"}});
  REQUIRE(run.tools->asked.size() == 1);
  const auto& question = run.tools->asked[0];
  CHECK(question.call.arguments == R"({"x":1})");
  CHECK(question.user == run.what.user);
  CHECK(question.conversation == run.what.conversation);
  CHECK(question.reply == run.what.reply);
  CHECK(run.told() == strings{"c1:running"});
  CHECK(run.engine->asked.size() == 1);
  run.ends(0, "3");
  CHECK(run.told() == strings{"c1:running", "c1:done"});
  const auto told = run.client->broadcasts("reply.tool").at(1);
  CHECK(told.at("result") == "3");
  CHECK(told.at("took_ms") == 7);
  CHECK(told.at("attempt") == 1);
  REQUIRE(run.engine->asked.size() == 2);
  const auto& turns = run.engine->asked[1].turns;
  REQUIRE(turns.size() == 3);
  CHECK(turns[1].role == "assistant");
  CHECK(turns[1].content == "Let me see.");
  CHECK(turns[1].calls == std::vector<tool_call>{{"c1", "add", R"({"x":1})"}});
  CHECK(turns[2].role == "tool");
  CHECK(turns[2].content == "3");
  CHECK(turns[2].answers == "c1");
  run.says(engines::text_made{"It is 3.", 4});
  run.says(engines::text_ended{"stop", {20, 4, false}});
  REQUIRE(run.finished.size() == 1);
  CHECK(run.finished[0].content == "Let me see.\n\nIt is 3.");
  CHECK(run.finished[0].used == usage{30, 6, false});
  CHECK(run.finished[0].tools ==
        std::vector<tool_outcome>{{{"c1", "add", R"({"x":1})"}, "3", false, 7ms}});
  CHECK(run.client->broadcasts("reply.completed").at(0).at("seq") == 7);
  auto text = std::string{};
  for (const auto& one : run.client->broadcasts("reply.delta"))
    text += one.at("text").as_string();
  CHECK(text == run.finished[0].content);
  CHECK(run.client->broadcasts("reply.started").size() == 1);
}

TEST_CASE("a reply that goes on and calls a tool tells the engine its text once") {
  auto run = tool_run{};
  run.what.attempt = 2;
  run.what.kept = 8;
  run.asked.so_far = "half of ";
  run.start();
  CHECK(run.engine->asked.at(0).so_far == "half of ");
  run.says(engines::text_made{"it", 1});
  run.calls({{"c1", "add", "{}"}});
  run.ends(0, "3");
  REQUIRE(run.engine->asked.size() == 2);
  CHECK(run.engine->asked[1].so_far.empty());
  CHECK(run.engine->asked[1].turns.at(1).content == "half of it");
  run.says(engines::text_made{"is 3", 1});
  run.says(engines::text_ended{"stop", {}});
  REQUIRE(run.finished.size() == 1);
  CHECK(run.finished[0].content == "half of it\n\nis 3");
}

TEST_CASE("no more calls are under way than may be, and their order is kept") {
  auto run = tool_run{};
  run.start();
  run.calls({{"a", "add", "1"}, {"b", "add", "2"}, {"c", "sub", "3"}});
  CHECK(run.tools->asked.size() == 2);
  CHECK(run.told() == strings{"a:running", "b:running"});
  run.ends(1, "two");
  CHECK(run.tools->asked.size() == 3);
  run.ends(2, "three", true);
  CHECK(run.engine->asked.size() == 1);
  run.ends(0, "one");
  CHECK(run.tools->open == 0);
  CHECK(run.told() ==
        strings{"a:running", "b:running", "b:done", "c:running", "c:failed", "a:done"});
  REQUIRE(run.engine->asked.size() == 2);
  const auto& turns = run.engine->asked[1].turns;
  REQUIRE(turns.size() == 5);
  CHECK(turns[1].content.empty());
  CHECK(turns[2].content == "one");
  CHECK(turns[3].content == "two");
  CHECK(turns[4].content == "three"); // a failure is told to the engine, too
}

TEST_CASE("after the last round the engine has to do without tools") {
  auto run = tool_run{};
  run.start();
  run.calls({{"a", "add", "{}"}});
  run.ends(0, "1");
  CHECK(run.offered() == strings{"add", "sub"});
  run.calls({{"b", "add", "{}"}});
  run.ends(1, "2");
  CHECK(run.engine->asked.size() == 3);
  CHECK(run.offered().empty());
  CHECK(run.engine->asked[2].turns.size() == 5);
  run.calls({{"c", "add", "{}"}}); // it does not listen
  CHECK(run.tools->asked.size() == 2);
  REQUIRE(run.finished.size() == 1);
  CHECK(run.finished[0].used == usage{30, 6, false});
  CHECK(run.finished[0].tools.size() == 2);
  CHECK(run.client->broadcasts("reply.completed").at(0).at("finish_reason") ==
        "tool_calls");
}

TEST_CASE("ids that come again are told apart, and the same calls are counted") {
  auto run = tool_run{};
  run.start();
  run.calls({{"a", "add", "{}"}});
  run.ends(0, "1");
  run.calls({{"a", "add", "{}"}});
  run.ends(1, "1");
  CHECK(run.told() == strings{"a:running", "a:done", "a-2:running", "a-2:done"});
  CHECK(run.engine->asked.back().turns.back().answers == "a-2");
  CHECK(run.tools->asked[0].repeats == 0);
  CHECK(run.tools->asked[1].repeats == 1);
}

TEST_CASE("a tool that was not offered is not called") {
  auto run = tool_run{};
  run.start();
  run.calls({{"a", "format_disk", "{}"}});
  CHECK(run.tools->asked.empty());
  CHECK(run.told() == strings{"a:running", "a:failed"});
  REQUIRE(run.engine->asked.size() == 2);
  CHECK(run.engine->asked[1].turns.back().content == "there is no such tool");
}

TEST_CASE("a stop while a tool runs ends the call, and keeps what there is") {
  auto run = tool_run{};
  run.start();
  run.says(engines::text_made{"Let me see.", 3});
  run.calls({{"a", "add", "1"}, {"b", "sub", "2"}});
  run.ends(0, "one");
  run.world.tell(run.running, stop_job{});
  CHECK(run.tools->open == 0);
  CHECK(run.engine->asked.size() == 1);
  REQUIRE(run.finished.size() == 1);
  const auto& kept = run.finished[0];
  CHECK(kept.cancelled);
  CHECK(kept.content == "Let me see.");
  CHECK(kept.used == usage{10, 2, false}); // of the round that was over
  REQUIRE(kept.tools.size() == 2);
  CHECK_FALSE(kept.tools[0].failed);
  CHECK(kept.tools[1].failed);
  CHECK(kept.tools[1].result == "the reply was stopped");
  CHECK(run.client->broadcasts("reply.cancelled").size() == 1);
}

TEST_CASE("a stop in a later round estimates that round alone") {
  auto run = tool_run{};
  run.start();
  run.says(engines::text_made{"abcd", 3});
  run.calls({{"a", "add", "{}"}});
  run.ends(0, "12345678");
  run.says(engines::text_made{"x", 1});
  run.world.tell(run.running, stop_job{});
  REQUIRE(run.finished.size() == 1);
  // 10 of the first round, and "hello", "abcd", "12345678" at four bytes each.
  CHECK(run.finished[0].used == usage{14, 3, true});
}

TEST_CASE("who lost its job ends its calls") {
  auto run = tool_run{};
  run.start();
  run.calls({{"a", "add", "{}"}});
  CHECK(run.tools->open == 1);
  caf::anon_send_exit(run.running, caf::exit_reason::user_shutdown);
  run.world.settle();
  CHECK(run.tools->open == 0);
  CHECK(run.finished.empty());
}

TEST_CASE("a channel that crashes during a call is replaced, and nothing begins anew") {
  auto run = tool_run{};
  run.start();
  run.says(engines::text_made{"Let me see.", 3});
  run.calls({{"c1", "add", "{}"}, {"c2", "sub", "{}"}});
  auto channel = run.world.ask<open_room>(run.hub, open_topic{run.where()});
  REQUIRE(channel);
  caf::anon_send_exit(channel->channel, caf::exit_reason::unhandled_exception);
  run.world.settle();
  CHECK(run.engine->asked.size() == 1);
  CHECK(run.tools->asked.size() == 2);
  CHECK(run.tools->open == 2);
  run.client = std::make_shared<test::recorded_outbox>(); // who joins in the middle
  REQUIRE(run.world.ask<open_room>(run.hub,
                                   join_topic{run.where(), run.joining(run.client)}));
  REQUIRE(run.client->broadcasts("reply.snapshot").size() == 1);
  CHECK(run.client->broadcasts("reply.snapshot")[0].at("text") == "Let me see.");
  CHECK(run.client->broadcasts("reply.snapshot")[0].at("seq") == 3);
  run.ends(0, "3");
  run.ends(1, "4");
  CHECK(run.told() == strings{"c1:done", "c2:done"});
  run.says(engines::text_made{"It is 3.", 4});
  REQUIRE(run.client->broadcasts("reply.delta").size() == 1);
  CHECK(run.client->broadcasts("reply.delta")[0].at("first_seq") == 4);
  run.says(engines::text_ended{"stop", {20, 4, false}});
  CHECK(run.client->broadcasts("reply.completed").at(0).at("seq") == 7);
  CHECK(run.finished.at(0).content == "Let me see.\n\nIt is 3.");
}

TEST_CASE("a late outcome of a reply that is over changes nothing") {
  auto run = tool_run{};
  run.start();
  run.calls({{"a", "add", "{}"}});
  caf::anon_send(run.running, stop_job{});
  run.tools->end(0, "1"); // behind the stop
  run.world.settle();
  REQUIRE(run.finished.size() == 1);
  CHECK(run.finished[0].cancelled);
  CHECK(run.finished[0].tools.at(0).failed);
  CHECK(run.engine->asked.size() == 1);
  CHECK(run.told() == strings{"a:running"});
}

TEST_CASE("conversation and sender may each leave tools out") {
  auto run = tool_run{};
  SUBCASE("none of the conversation's") {
    run.asked.only_tools = strings{};
    run.start();
    CHECK(run.offered().empty());
  }
  SUBCASE("some of the conversation's") {
    run.asked.only_tools = strings{"sub", "unknown"};
    run.start();
    CHECK(run.offered() == strings{"sub"});
  }
  SUBCASE("none for this reply") {
    run.what.params = R"({"tools":false})";
    run.start();
    CHECK(run.offered().empty());
  }
  SUBCASE("what both name") {
    run.asked.only_tools = strings{"sub"};
    run.what.params = R"({"tools":["add","sub"]})";
    run.start();
    CHECK(run.offered() == strings{"sub"});
  }
  SUBCASE("there are none") {
    run.limits.rounds = 0;
    run.start();
    CHECK(run.offered().empty());
  }
}

TEST_CASE("memory is searched as the user, without what the engine sees anyway") {
  auto run = tool_run{};
  run.remembers = true;
  run.limits.search_memory = true;
  auto shown = found_memory{};
  shown.message = run.asked.turns[0].id;
  shown.excerpt = "hello";
  auto other = found_memory{};
  other.message = message_id::make();
  other.excerpt = "The dog is called Rex";
  run.memory_answer = memories_found{{shown, other}};
  run.start();
  CHECK(run.offered() == strings{"search_memory", "add", "sub"});
  run.calls({{"a", "search_memory", R"({"query":"dog","k":1})"}});
  REQUIRE(run.searched.size() == 1);
  CHECK(run.searched[0].whose.user == run.what.user);
  CHECK(run.searched[0].whose.who == nullptr);
  CHECK(run.searched[0].what.text == "dog");
  CHECK(run.tools->asked.empty());
  REQUIRE(run.engine->asked.size() == 2);
  CHECK(run.engine->asked[1].turns.back().content ==
        R"([{"time":"1970-01-01T00:00:00Z","role":"user",)"
        R"("excerpt":"The dog is called Rex"}])");
  CHECK(run.told() == strings{"a:running", "a:done"});
}

TEST_CASE("a search that fails, or is late, or makes no sense is told to the engine") {
  auto run = tool_run{};
  run.remembers = true;
  run.limits.search_memory = true;
  SUBCASE("fails") {
    run.memory_answer = fail(errc::unavailable, "no embedder");
    run.start();
    run.calls({{"a", "search_memory", R"({"query":"dog"})"}});
    CHECK(run.engine->asked.at(1).turns.back().content ==
          "the tool failed: no embedder");
  }
  SUBCASE("late") {
    run.memory_silent = true;
    run.start();
    run.calls({{"a", "search_memory", R"({"query":"dog"})"}});
    CHECK(run.engine->asked.size() == 1);
    run.world.advance(10s);
    CHECK(run.engine->asked.size() == 2);
  }
  SUBCASE("makes no sense") {
    run.start();
    run.calls({{"a", "search_memory", "{}"}});
    CHECK(run.searched.empty());
    CHECK(run.engine->asked.size() == 2);
  }
  CHECK(run.told() == strings{"a:running", "a:failed"});
}

TEST_CASE("a conversation without memory, or a server, has none to search") {
  auto run = tool_run{};
  run.limits.search_memory = true;
  SUBCASE("conversation") {
    run.remembers = true;
    run.asked.recalls = false;
  }
  SUBCASE("server") {}
  run.start();
  CHECK(run.offered() == strings{"add", "sub"});
}

TEST_CASE("all rounds together are no longer than a message may be") {
  auto run = tool_run{};
  run.limits.max_reply_bytes = 10;
  run.start();
  run.says(engines::text_made{"123456", 1});
  run.calls({{"a", "add", "{}"}});
  run.ends(0, "1");
  run.says(engines::text_made{"7890", 1}); // and the break between the two
  REQUIRE(run.failed.size() == 1);
  CHECK(run.failed[0].what == "The language model's answer was too long.");
  CHECK_FALSE(run.failed[0].retryable);
}

TEST_CASE("the model of the round that answers is the reply's") {
  auto run = tool_run{};
  run.start();
  run.says(engines::model_changed{"spare"});
  run.calls({{"a", "add", "{}"}});
  run.ends(0, "1");
  run.says(engines::text_made{"x", 1}); // of whom model_of() names
  run.says(engines::text_ended{"stop", {}});
  const auto told = run.client->broadcasts("reply.model");
  REQUIRE(told.size() == 2);
  CHECK(told[0].at("model") == "spare");
  CHECK(told[1].at("model") == "scripted");
  CHECK(run.finished.at(0).model == "scripted");
}
