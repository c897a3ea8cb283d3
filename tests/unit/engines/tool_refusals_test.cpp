#include "engines/tool_refusals.hpp"

#include <doctest/doctest.h>

#include <string>

TEST_SUITE_BEGIN("engines.tool_refusals");

namespace {

using namespace jessica::engines;
using namespace std::chrono_literals;

} // namespace

TEST_CASE("servers say in words that they take no tools") {
  for (const auto* words :
       {"registry.example/library/small:latest does not support tools",
        "tools param requires --jinja flag",
        "\"auto\" tool choice requires --enable-auto-tool-choice and "
        "--tool-call-parser to be set",
        "No endpoints found that support tool use", "Unknown field: 'tools'",
        "Unrecognized request argument supplied: tools",
        "Function calling is not enabled for this model",
        "tools: Extra inputs are not permitted"}) {
    CAPTURE(words);
    CHECK(read_tool_refusal(400, words) == tool_refusal::for_a_while);
  }
  CHECK(read_tool_refusal(404, "no model with tool support") ==
        tool_refusal::for_a_while);
  CHECK(read_tool_refusal(501, "Tools are not implemented") ==
        tool_refusal::for_a_while);
}

TEST_CASE("what is wrong with one tool says nothing of tools") {
  for (const auto* words :
       {"Invalid schema for function 'add' of the tool: 'uniqueItems' is not supported",
        "Invalid 'tools[0].function.name': string does not match pattern",
        "tools.0.custom.name: this value is not supported",
        "messages with role 'tool' must be a response to a preceding message with "
        "'tool_calls'",
        "tool_use_id is not supported here", "the tool add is too large"}) {
    CAPTURE(words);
    CHECK(read_tool_refusal(400, words) == tool_refusal::this_once);
  }
}

TEST_CASE("other words, and other statuses, are no refusal of tools") {
  CHECK(read_tool_refusal(400, "too hot") == tool_refusal::none);
  CHECK(read_tool_refusal(401, "no tools support") == tool_refusal::none);
  CHECK(read_tool_refusal(429, "too many tools; not supported") == tool_refusal::none);
  CHECK(read_tool_refusal(503, "tools are not supported") == tool_refusal::none);
}

TEST_CASE("a refusal is of one model, and is over after a while") {
  auto known = tool_refusals{};
  const auto start = tool_refusals::clock::time_point{};
  CHECK_FALSE(known.hold("small", start));
  known.remember("small", start);
  CHECK(known.hold("small", start));
  CHECK_FALSE(known.hold("large", start));
  CHECK(known.hold("small", start + tool_refusals::kept_for - 1s));
  CHECK_FALSE(known.hold("small", start + tool_refusals::kept_for));
  known.remember("small", start + 20min); // it was asked again, and said so again
  CHECK(known.hold("small", start + 29min));
}

TEST_CASE("a bounded number of refusals is known") {
  auto known = tool_refusals{};
  const auto start = tool_refusals::clock::time_point{};
  for (auto i = 0; i < 65; ++i)
    known.remember("m" + std::to_string(i), start);
  CHECK_FALSE(known.hold("m0", start));
  CHECK(known.hold("m1", start));
  CHECK(known.hold("m64", start));
}
