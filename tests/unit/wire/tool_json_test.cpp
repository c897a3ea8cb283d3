#include "wire/tool_json.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

#include <string>

TEST_SUITE_BEGIN("wire.tool_json");

namespace {

using namespace jessica;
namespace json = boost::json;

} // namespace

TEST_CASE("members hear of a call when it begins and when it has ended") {
  const auto reply = message_id::make();
  const auto call = tool_call{"c1", "add", R"({"x":1})"};
  const auto begun = json::parse(wire::reply_tool_begun({reply, 2}, call));
  CHECK(begun.at("id").as_string() == reply.str());
  CHECK(begun.at("attempt") == 2);
  CHECK(begun.at("call_id") == "c1");
  CHECK(begun.at("name") == "add");
  CHECK(begun.at("status") == "running");
  CHECK(begun.at("arguments") == R"({"x":1})");
  CHECK_FALSE(begun.as_object().contains("result"));
  const auto ended = json::parse(wire::reply_tool_ended(
      {reply, 2}, {call, "3", false, std::chrono::milliseconds{12}}));
  CHECK(ended.at("status") == "done");
  CHECK(ended.at("result") == "3");
  CHECK(ended.at("took_ms") == 12);
  const auto failed =
      json::parse(wire::reply_tool_ended({reply, 1}, {call, "no", true, {}}));
  CHECK(failed.at("status") == "failed");
}

TEST_CASE("members hear the beginning of what is long, whole code points of it") {
  const auto text = std::string(4095, 'x') + "\xc3\xa4" + std::string(9000, 'y');
  const auto told = json::parse(wire::reply_tool_ended(
      {message_id::make(), 1}, {{"c", "n", text}, text, false, {}}));
  CHECK(told.at("arguments").as_string() == std::string(4095, 'x'));
  CHECK(told.at("result").as_string() == std::string(4095, 'x'));
}

TEST_CASE("what is looked for in memory is read from a call's arguments") {
  const auto asked = wire::read_memory_call(R"({"query":"dogs","k":3})");
  REQUIRE(asked);
  CHECK(asked->text == "dogs");
  CHECK(asked->k == 3);
  CHECK(wire::read_memory_call(R"({"query":"dogs","why":"x"})")->k == 5);
}

TEST_CASE("arguments that cannot be are refused in words for the engine") {
  CHECK(wire::read_memory_call("[]").error().what ==
        "the arguments are no JSON object");
  CHECK(wire::read_memory_call("{broken").error().what ==
        "the arguments are no JSON object");
  CHECK_FALSE(wire::read_memory_call("{}").has_value());
  CHECK_FALSE(wire::read_memory_call(R"({"query":5})").has_value());
  CHECK(wire::read_memory_call(R"({"query":"  "})").error().what ==
        "query must not be empty");
  for (const auto* const k : {"0", "11", "1.5", "\"x\""})
    CHECK_FALSE(wire::read_memory_call(R"({"query":"x","k":)" + std::string{k} + "}")
                    .has_value());
}

TEST_CASE("what was found is a list of excerpts with time and role") {
  auto one = found_memory{};
  one.role = message_role::assistant;
  one.said_at = timestamp{std::chrono::microseconds{1'700'000'000'500'000}};
  one.excerpt = "Rex \"the dog\"";
  CHECK(wire::memory_result({}) == "[]");
  CHECK(wire::memory_result(std::vector{one, one}) ==
        R"([{"time":"2023-11-14T22:13:20Z","role":"assistant",)"
        R"("excerpt":"Rex \"the dog\""},{"time":"2023-11-14T22:13:20Z",)"
        R"("role":"assistant","excerpt":"Rex \"the dog\""}])");
}

TEST_CASE("the tool that searches memory says what its arguments are") {
  const auto schema = json::parse(wire::memory_tool().parameters);
  CHECK(schema.at("type") == "object");
  CHECK(schema.at("properties").as_object().contains("query"));
}
