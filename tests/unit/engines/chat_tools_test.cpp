// Tools as language models are told of them and ask for them, over real sockets.
#include "tests/fixtures/chat_world.hpp"

#include <string>
#include <string_view>
#include <vector>

TEST_SUITE_BEGIN("engines.chat_tools");

namespace {

using namespace jessica;
using namespace jessica::engines;
using namespace jessica::test;
using namespace std::chrono_literals;

std::string call_piece_of(std::string_view piece) {
  return "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[" +
         std::string{piece} + "]}}]}\n\n";
}
std::string whole_call(std::string_view id) {
  return call_piece_of("{\"index\":0,\"id\":\"" + std::string{id} +
                       "\",\"function\":{\"name\":\"add\",\"arguments\":\"{}\"}}");
}
script calling(const std::string& pieces, std::string_view reason = "tool_calls") {
  return {
      say{stream_head()},
      say{chunk(pieces + finish(reason) + used(7, 3) + done_word()) + last_chunk()}};
}

prompt with_tools() {
  auto asked = hello();
  asked.tools = {{"add", "Adds.", R"({"type":"object"})"}};
  return asked;
}

} // namespace

TEST_CASE("a model is told of tools, and what it wants called ends the generation") {
  auto with = fake_provider{
      {{say{stream_head()}, say{chunk(token("Let me see."))},
        say{chunk(whole_call("a") + finish("tool_calls") + used(7, 3) + done_word()) +
            last_chunk()}}}};
  auto world = chat_world{provider_at(with.url(), "calls")};
  const auto& heard = world.ask(with_tools());
  REQUIRE(heard.called);
  CHECK(heard.text == "Let me see.");
  CHECK(heard.called->calls == std::vector<tool_call>{{"a", "add", "{}"}});
  CHECK(heard.called->used == usage{7, 3, false});
  const auto seen = with.requests();
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].body.contains(
      R"("tools":[{"type":"function","function":{"name":"add","description":"Adds.",)"
      R"("parameters":{"type":"object"}}}])"));
  CHECK(with.wait_for_open(0));
}

TEST_CASE("a call cut anywhere, inside of code points too, is whole in the end") {
  const auto said =
      call_piece_of(
          "{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"add\","
          "\"arguments\":\"{\\\"x\\\":\\\"\xc3\xa4\xf0\x9f\x98\x80\\\"}\"}}") +
      finish("tool_calls") + done_word();
  auto bytes = script{say{stream_head()}};
  for (const auto c : said)
    bytes.emplace_back(say{chunk(std::string_view{&c, 1})});
  bytes.emplace_back(say{last_chunk()});
  auto with = fake_provider{{bytes}};
  auto world = chat_world{provider_at(with.url(), "cut")};
  const auto& heard = world.ask(with_tools());
  REQUIRE(heard.called);
  CHECK(heard.called->calls.at(0).arguments == "{\"x\":\"\xc3\xa4\xf0\x9f\x98\x80\"}");
  CHECK(heard.called->used.estimated);
}

TEST_CASE("what was called and what came of it is sent as turns") {
  auto with = fake_provider{{good_answer({"3"})}};
  auto world = chat_world{provider_at(with.url(), "turns")};
  auto asked = hello();
  asked.turns.push_back({"assistant", "", {}, {{"a", "add", R"({"x":1})"}}});
  asked.turns.push_back({"tool", "3", {}, {}, "a"});
  asked.turns.push_back({"assistant", "Hm.", {}, {{"b", "add", "{broken"}}});
  asked.turns.push_back({"tool", "no", {}, {}, "b"});
  CHECK(world.ask(asked).ended);
  const auto body = with.requests().at(0).body;
  CHECK(body.contains(
      R"({"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function",)"
      R"("function":{"name":"add","arguments":"{\"x\":1}"}}]},)"
      R"({"role":"tool","content":"3","tool_call_id":"a"},)"));
  // Templates read arguments back: those that cannot be are not sent again.
  CHECK(body.contains(R"({"role":"assistant","content":"Hm.","tool_calls":)"
                      R"([{"id":"b","type":"function","function":{"name":"add",)"
                      R"("arguments":"{}"}}]})"));
  CHECK_FALSE(body.contains("\"tools\""));
}

TEST_CASE("a provider that dies between calls is followed by the next one") {
  auto first =
      fake_provider{{{say{stream_head()}, say{chunk(whole_call("a"))}, hang_up{true}}}};
  auto second = fake_provider{{calling(whole_call("b"))}};
  auto world = chat_world{
      {provider_at(first.url(), "dying"), provider_at(second.url(), "living")}};
  const auto& heard = world.ask(with_tools());
  REQUIRE(heard.called);
  CHECK(heard.called->calls == std::vector<tool_call>{{"b", "add", "{}"}});
  CHECK(counted("dying", "cut", 1));
}

TEST_CASE("pieces of calls are signs of life") {
  auto with =
      fake_provider{{{say{stream_head()}, say{chunk(whole_call("a"))}, stall{}}}};
  auto settings = provider_at(with.url(), "silent");
  settings.token_timeout = 50ms;
  auto world = chat_world{settings};
  const auto& heard = world.ask(with_tools());
  REQUIRE(heard.failed);
  CHECK(counted("silent", "stalled", 1)); // and not first_token_late
}

TEST_CASE("who was told of no tools has none called") {
  auto with = fake_provider{{calling(whole_call("a"))}};
  auto world = chat_world{provider_at(with.url(), "untold")};
  const auto& heard = world.ask();
  REQUIRE(heard.ended);
  CHECK(heard.ended->finish_reason == "tool_calls");
}

TEST_CASE("a provider without tools is told of none, and passed over behind calls") {
  auto plain = fake_provider{{good_answer({"x"})}};
  auto able = fake_provider{{good_answer({"y"})}};
  auto settings = provider_at(plain.url(), "plain");
  settings.tools = false;
  auto world = chat_world{{settings, provider_at(able.url(), "able")}};
  CHECK(world.ask(with_tools()).text == "x");
  CHECK_FALSE(plain.requests().at(0).body.contains("\"tools\""));
  auto asked = with_tools();
  asked.turns.push_back({"assistant", "", {}, {{"a", "add", "{}"}}});
  asked.turns.push_back({"tool", "3", {}, {}, "a"});
  CHECK(world.ask(asked).text == "y");
  CHECK(plain.requests().size() == 1);
}

TEST_CASE("a model that refuses tools is asked again without, and from then on") {
  auto with = fake_provider{
      {{say{answer("400 Bad Request",
                   R"({"error":{"message":"small does not support tools"}})")}},
       good_answer({"x"})}};
  auto world = chat_world{provider_at(with.url(), "refuses")};
  CHECK(world.ask(with_tools()).text == "x");
  CHECK(world.ask(with_tools()).text == "x");
  const auto seen = with.requests();
  REQUIRE(seen.size() == 3);
  CHECK(seen[0].body.contains("\"tools\""));
  CHECK_FALSE(seen[1].body.contains("\"tools\""));
  CHECK_FALSE(seen[2].body.contains("\"tools\""));
}

TEST_CASE(
    "a question refused for one of its tools is asked without, and the next with") {
  auto with = fake_provider{
      {{say{answer("400 Bad Request",
                   R"({"error":{"message":"Invalid schema for tools[0]"}})")}},
       good_answer({"x"}),
       good_answer({"y"})}};
  auto world = chat_world{provider_at(with.url(), "particular")};
  CHECK(world.ask(with_tools()).text == "x");
  CHECK(world.ask(with_tools()).text == "y");
  const auto seen = with.requests();
  REQUIRE(seen.size() == 3);
  CHECK_FALSE(seen[1].body.contains("\"tools\""));
  CHECK(seen[2].body.contains("\"tools\""));
}

TEST_CASE("another refusal is told, with tools or without") {
  auto with = fake_provider{
      {{say{answer("400 Bad Request", R"({"error":{"message":"too hot"}})")}}}};
  auto world = chat_world{provider_at(with.url(), "hot")};
  const auto& heard = world.ask(with_tools());
  REQUIRE(heard.failed);
  CHECK(heard.failed->what == "The language model refused the question. too hot");
  CHECK(with.requests().size() == 1);
}
