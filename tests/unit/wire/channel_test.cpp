#include "wire/channel.hpp"

#include <doctest/doctest.h>

#include <string>

TEST_SUITE_BEGIN("wire.channel");

namespace jessica::wire {
namespace {

[[nodiscard]] join_request join(std::string_view payload) {
  auto read = read_join(payload);
  REQUIRE(read.has_value());
  return std::move(*read);
}

[[nodiscard]] std::string refusal(std::string_view payload) {
  const auto read = read_join(payload);
  REQUIRE_FALSE(read.has_value());
  CHECK(read.error().code == errc::invalid_input);
  return read.error().what;
}

TEST_CASE("a captured join is read whole") {
  const auto asked = join(
      R"({"config":{"broadcast":{"self":true,"ack":true},"presence":{"key":"me","enabled":true},"postgres_changes":[{"event":"*","schema":"public","table":"messages","filter":"conversation_id=eq.9"}],"private":true},"access_token":"jwt"})");
  CHECK(asked.self);
  CHECK(asked.ack);
  CHECK(asked.presence);
  CHECK(asked.presence_key == "me");
  CHECK(asked.is_private);
  REQUIRE(asked.postgres_changes.size() == 1);
  CHECK(
      asked.postgres_changes[0] ==
      R"({"event":"*","schema":"public","table":"messages","filter":"conversation_id=eq.9"})");
  CHECK(asked.access_token == "jwt");
}

TEST_CASE("the captured first join without a token is read") {
  const auto asked = join(
      R"({"config":{"broadcast":{"ack":false,"self":false},"presence":{"key":"","enabled":false},"postgres_changes":[{"event":"*","schema":"public","select":["id"]}],"private":false,"postgres_changes_options":{"wait":true,"timeout":3000}}})");
  CHECK_FALSE(asked.access_token.has_value());
  CHECK(asked.postgres_changes[0] ==
        R"({"event":"*","schema":"public","select":["id"]})");
  CHECK(asked.changes_wait);
  CHECK(asked.changes_timeout == std::chrono::seconds{3});
}

TEST_CASE("a wait for changes has a limit and a default") {
  const auto options = [](std::string_view text) {
    return join(R"({"config":{"postgres_changes_options":)" + std::string{text} + "}}");
  };
  for (const auto* nothing : {"null", "{}", R"({"wait":false,"timeout":null})"}) {
    CHECK_FALSE(options(nothing).changes_wait);
    CHECK(options(nothing).changes_timeout == std::chrono::seconds{15});
  }
  CHECK(options(R"({"wait":"true"})").changes_wait);
  CHECK(options(R"({"timeout":90000})").changes_timeout == std::chrono::seconds{20});
  CHECK(options(R"({"timeout":9007199254740992})").changes_timeout ==
        std::chrono::seconds{20});
  for (const auto* bad :
       {"[]", R"({"wait":7})", R"({"timeout":0})", R"({"timeout":-1})",
        R"({"timeout":"soon"})", R"({"timeout":1.5})"})
    CHECK_FALSE(
        refusal(R"({"config":{"postgres_changes_options":)" + std::string{bad} + "}}")
            .empty());
}

TEST_CASE("everything has a default") {
  for (
      const auto* payload :
      {"", "{}", R"({"config":null})", R"({"config":{}})",
       R"({"config":{"broadcast":null,"presence":null,"postgres_changes":null,"private":null},"access_token":null})",
       R"({"config":{"broadcast":{},"presence":{"key":null},"postgres_changes":[]}})"}) {
    CAPTURE(payload);
    const auto asked = join(payload);
    CHECK_FALSE(asked.self);
    CHECK_FALSE(asked.ack);
    CHECK_FALSE(asked.is_private);
    CHECK_FALSE(asked.presence);
    CHECK(asked.presence_key.empty());
    CHECK(asked.postgres_changes.empty());
    CHECK_FALSE(asked.access_token.has_value());
  }
}

TEST_CASE("booleans may be strings and unknown keys are ignored") {
  const auto asked = join(
      R"({"version":"realtime-js/2","config":{"broadcast":{"self":"true","ack":"false","replay":{"since":1}},"presence":{"enabled":"true"},"private":"true","new":[1]}})");
  CHECK(asked.self);
  CHECK_FALSE(asked.ack);
  CHECK(asked.presence);
  CHECK(asked.is_private);
}

TEST_CASE("bindings keep their order and every key") {
  const auto asked = join(
      R"({"config":{"postgres_changes":[{"z":1,"event":"INSERT","filter":""},{"event":"*","id":5,"filter":null},{}]}})");
  REQUIRE(asked.postgres_changes.size() == 3);
  CHECK(asked.postgres_changes[0] == R"({"z":1,"event":"INSERT","filter":""})");
  CHECK(asked.postgres_changes[1] == R"({"event":"*","id":5,"filter":null})");
  CHECK(asked.postgres_changes[2] == "{}");
}

TEST_CASE("a wrong type is refused with the path of its field") {
  CHECK(refusal(R"({"config":[]})") == "config must be an object");
  CHECK(refusal(R"({"config":{"broadcast":5}})") ==
        "config.broadcast must be an object");
  CHECK(refusal(R"({"config":{"broadcast":{"self":1}}})") ==
        "config.broadcast.self must be true or false");
  CHECK(refusal(R"({"config":{"broadcast":{"ack":"yes"}}})") ==
        "config.broadcast.ack must be true or false");
  CHECK(refusal(R"({"config":{"presence":[]}})") ==
        "config.presence must be an object");
  CHECK(refusal(R"({"config":{"presence":{"key":5}}})") ==
        "config.presence.key must be a string");
  const auto with_key = [](std::size_t size) {
    return R"({"config":{"presence":{"key":")" + std::string(size, 'k') + R"("}}})";
  };
  CHECK(read_join(with_key(255)));
  CHECK(refusal(with_key(256)) == "config.presence.key must be at most 255 bytes");
  CHECK(refusal(R"({"config":{"presence":{"enabled":5}}})") ==
        "config.presence.enabled must be true or false");
  CHECK(refusal(R"({"config":{"private":{}}})") ==
        "config.private must be true or false");
  CHECK(refusal(R"({"config":{"postgres_changes":{}}})") ==
        "config.postgres_changes must be an array");
  CHECK(refusal(R"({"config":{"postgres_changes":["*"]}})") ==
        "config.postgres_changes must hold objects");
  CHECK(refusal(R"({"access_token":5})") == "access_token must be a string");
}

TEST_CASE("a payload that is no JSON object is refused") {
  for (const auto* payload :
       {"[]", "null", "{", "5", "{\"config\":{\"x\":\"\xff\"}}"}) {
    CAPTURE(payload);
    CHECK(read_join(payload).error().reason == "bad_json");
    CHECK(read_access_token(payload).error().reason == "bad_json");
  }
}

TEST_CASE("a join's token may have its old name; opaque keys stay as they are") {
  CHECK(join(R"({"user_token":"old"})").access_token == "old");
  CHECK(join(R"({"access_token":"new","user_token":"old"})").access_token == "new");
  CHECK(join(R"({"access_token":null,"user_token":"old"})").access_token == "old");
  CHECK(join(R"({"access_token":"sb_publishable_x"})").access_token ==
        "sb_publishable_x");
  CHECK_FALSE(join(R"({"access_token":""})").access_token.has_value());
}

TEST_CASE("an access_token message holds a token, or none") {
  CHECK(*read_access_token(R"({"access_token":"jwt"})") == "jwt");
  CHECK(*read_access_token(R"({"user_token":"jwt"})") == "jwt");
  CHECK(*read_access_token(R"({"access_token":"sb_secret_x"})") == "sb_secret_x");
  CHECK(*read_access_token(R"({"access_token":null})") == std::nullopt);
  CHECK(*read_access_token("{}") == std::nullopt);
  CHECK_FALSE(read_access_token(R"({"access_token":{}})").has_value());
}

TEST_CASE("a channel's name is its topic without the prefix") {
  CHECK(*channel_name("realtime:room:1") == "room:1");
  CHECK(*channel_name("realtime:realtime:") == "realtime:");
}

TEST_CASE("an empty name is refused in the words the client shows") {
  CHECK(channel_name("realtime:").error().what ==
        "TopicNameRequired: You must provide a topic name");
}

TEST_CASE("a topic without the prefix matches nothing") {
  for (const auto* topic : {"", "room:1", "phoenix", "realtime", "Realtime:x"}) {
    CAPTURE(topic);
    CHECK(channel_name(topic).error().reason == "unmatched_topic");
  }
}

TEST_CASE("a name with a NUL is refused: the database would see a shorter one") {
  CHECK_FALSE(channel_name(std::string_view{"realtime:a\0b", 12}).has_value());
}

} // namespace
} // namespace jessica::wire

TEST_SUITE_END();
