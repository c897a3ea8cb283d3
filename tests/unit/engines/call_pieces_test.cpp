#include "engines/call_pieces.hpp"
#include "engines/chat_stream.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

TEST_SUITE_BEGIN("engines.call_pieces");

namespace {

using namespace jessica;
using namespace jessica::engines;

/// One chunk of a stream with pieces of calls.
std::string calls(std::string_view pieces) {
  return "data: {\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[" +
         std::string{pieces} + "]}}]}\n\n";
}
std::string ended(std::string_view reason = "tool_calls") {
  return "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"" +
         std::string{reason} + "\"}]}\n\ndata: [DONE]\n\n";
}

chat_stream heard(const std::string& body) {
  auto said = chat_stream{100'000, ""};
  said.feed(body);
  said.end();
  return said;
}

fault_kind fault_of(const std::string& body) {
  const auto said = heard(body);
  REQUIRE(said.fault());
  CHECK_FALSE(said.ended());
  return said.fault()->kind;
}

} // namespace

TEST_CASE("a call is put together from its pieces") {
  const auto said =
      heard(calls(R"({"index":0,"id":"a","type":"function",)"
                  R"("function":{"name":"add","arguments":""}})") +
            calls(R"({"index":0,"function":{"arguments":"{\"x\":"}})") +
            calls(R"({"index":0,"function":{"arguments":"1}"}})") + ended());
  REQUIRE(said.ended());
  CHECK(said.calls() == std::vector<tool_call>{{"a", "add", R"({"x":1})"}});
}

TEST_CASE("calls whose pieces come by turns are kept apart by their index") {
  const auto said =
      heard(calls(R"({"index":0,"id":"a","function":{"name":"one","arguments":"{"}},)"
                  R"({"index":1,"id":"b","function":{"name":"two","arguments":"{"}})") +
            calls(R"({"index":1,"function":{"arguments":"}"}})") +
            calls(R"({"index":0,"function":{"arguments":"}"}})") + ended());
  CHECK(said.calls() == std::vector<tool_call>{{"a", "one", "{}"}, {"b", "two", "{}"}});
}

TEST_CASE("servers that number all calls 0 or none of them tell them by their ids") {
  const auto numbered = heard(
      calls(R"({"index":0,"id":"a","function":{"name":"one","arguments":"{}"}})") +
      calls(R"({"index":0,"id":"b","function":{"name":"one","arguments":"{}"}})") +
      ended());
  CHECK(numbered.calls() ==
        std::vector<tool_call>{{"a", "one", "{}"}, {"b", "one", "{}"}});
  const auto bare = heard(
      calls(R"({"id":"a","function":{"name":"one","arguments":"{"}})") +
      calls(R"({"function":{"arguments":"}"}})") +
      calls(R"({"id":"b","function":{"name":"two","arguments":"{}"}})") + ended());
  CHECK(bare.calls() == std::vector<tool_call>{{"a", "one", "{}"}, {"b", "two", "{}"}});
}

TEST_CASE("without ids and indices a name begins a call, and ids are made up") {
  const auto said = heard(calls(R"({"function":{"name":"one","arguments":{"x":1}}})") +
                          calls(R"({"function":{"name":"two"}})") + ended());
  const auto made = said.calls();
  REQUIRE(made.size() == 2);
  CHECK(made[0].name == "one");
  CHECK(made[0].arguments == R"({"x":1})"); // some send the object itself
  CHECK(made[1].name == "two");
  CHECK(made[1].arguments.empty());
  CHECK(made[0].id.starts_with("call_"));
  CHECK(made[0].id != made[1].id);
}

TEST_CASE("an id that is used twice, or is no id but a book, is made up") {
  const auto said =
      heard(calls(R"({"index":0,"id":"a","function":{"name":"one"}},)"
                  R"({"index":1,"id":"a","function":{"name":"two"}},)"
                  R"({"index":2,"id":")" +
                  std::string(500, 'x') + R"(","function":{"name":"three"}})") +
            ended());
  const auto made = said.calls();
  REQUIRE(made.size() == 3);
  CHECK(made[0].id == "a");
  CHECK(made[1].id.starts_with("call_"));
  CHECK(made[2].id.starts_with("call_"));
}

TEST_CASE("calls count whatever the reason at the end is, unless it ran into a limit") {
  const auto call = calls(R"({"index":0,"id":"a","function":{"name":"one"}})");
  CHECK(heard(call + ended("stop")).calls().size() == 1);
  CHECK(heard(call + "data: [DONE]\n\n").calls().size() == 1);
  const auto cut = heard(call + ended("length"));
  CHECK(cut.ended());
  CHECK(cut.calls().empty());
}

TEST_CASE("a whole answer that does not stream may call, too") {
  const auto said =
      heard(R"({"choices":[{"message":{"content":null,"tool_calls":[)"
            R"({"id":"a","type":"function","function":{"name":"one",)"
            R"("arguments":"{}"}},{"id":"b","function":{"name":"two"}}]},)"
            R"("finish_reason":"tool_calls"}]})");
  REQUIRE(said.ended());
  CHECK(said.calls() == std::vector<tool_call>{{"a", "one", "{}"}, {"b", "two", ""}});
}

TEST_CASE("a NUL in what is called is left out") {
  const auto said = heard(
      calls(R"({"index":0,"id":"a\u0000","function":{"name":"o\u0000ne"}})") + ended());
  CHECK(said.calls() == std::vector<tool_call>{{"a", "one", ""}});
}

TEST_CASE("what is no call breaks the answer") {
  CHECK(fault_of("data: {\"choices\":[{\"delta\":{\"tool_calls\":5}}]}\n\n") ==
        fault_kind::malformed);
  CHECK(fault_of(calls("7")) == fault_kind::malformed);
  CHECK(fault_of(calls(R"({"index":0,"function":{"name":"x","arguments":7}})")) ==
        fault_kind::malformed);
  CHECK(fault_of(calls(R"({"index":0,"id":"a"})") + ended()) == fault_kind::malformed);
  CHECK(fault_of(ended("tool_calls")) == fault_kind::malformed); // said, and none told
  CHECK(fault_of(calls(R"({"index":0,"id":"a","function":{"name":"x"}})")) ==
        fault_kind::cut);
}

TEST_CASE("more calls, or longer ones, than there may be are too long") {
  auto many = std::string{};
  for (auto i = 0; i <= 16; ++i)
    many +=
        calls("{\"index\":" + std::to_string(i) + ",\"function\":{\"name\":\"x\"}}");
  CHECK(fault_of(many) == fault_kind::too_long);
  const auto piece = calls(R"({"index":0,"id":"a","function":{"name":"x",)"
                           R"("arguments":")" +
                           std::string(50'000, 'x') + "\"}}");
  CHECK(fault_of(piece + piece + piece) == fault_kind::too_long);
  CHECK(fault_of(calls(R"({"index":0,"function":{"name":")" + std::string(200, 'x') +
                       "\"}}")) == fault_kind::too_long);
}
