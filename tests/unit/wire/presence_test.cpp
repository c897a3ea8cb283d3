#include "wire/presence.hpp"

#include <doctest/doctest.h>

#include <string>

TEST_SUITE_BEGIN("wire.presence");

namespace {

using namespace jessica::wire;

auto read(std::string payload) {
  auto message = push{};
  message.topic = "realtime:room";
  message.event = "presence";
  message.payload = std::move(payload);
  return read_presence(message);
}

std::string refusal(std::string payload) {
  const auto said = read(std::move(payload));
  return said ? "" : said.error().what;
}

} // namespace

TEST_CASE("a track brings the object to show") {
  const auto said =
      read(R"({"type":"presence","event":"track","payload":{"name":"hé","x":[1]}})");
  REQUIRE(said);
  CHECK(said->meta == R"({"name":"hé","x":[1]})");
}

TEST_CASE("a track without a payload shows an empty object") {
  const auto said = read(R"({"type":"presence","event":"track"})");
  REQUIRE(said);
  CHECK(said->meta == "{}");
}

TEST_CASE("an untrack brings nothing, whatever its payload is") {
  for (const auto* text : {R"({"type":"presence","event":"untrack"})",
                           R"({"event":"untrack","payload":{"name":"x"}})"}) {
    const auto said = read(text);
    REQUIRE(said);
    CHECK_FALSE(said->meta);
  }
}

TEST_CASE("a payload that is no object is refused") {
  for (const auto* payload : {"7", "\"text\"", "[]", "true", "null"})
    CHECK(refusal(R"({"event":"track","payload":)" + std::string{payload} + "}") ==
          "Presence track payload must be a map");
}

TEST_CASE("an unknown or missing event is refused") {
  for (const auto* text : {"{}", R"({"event":"sync"})", R"({"event":null})"})
    CHECK(refusal(text) == "Presence event must be track or untrack");
  CHECK(refusal(R"({"event":7})") == "event must be a string");
  CHECK_FALSE(refusal("{").empty());
}

TEST_CASE("references are the server's to give") {
  const auto said = read(
      R"({"event":"track","payload":{"phx_ref":"a","name":"x","phx_ref_prev":"b"}})");
  REQUIRE(said);
  CHECK(said->meta == R"({"name":"x"})");
}

TEST_SUITE_END();
