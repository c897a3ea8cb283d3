#include "tests/unit/actors/session_client.hpp"

#include <doctest/doctest.h>

TEST_SUITE_BEGIN("actors.session_presence");

namespace {

using namespace jessica;
using namespace jessica::actors;
using namespace jessica::test;
using namespace std::chrono_literals;
using client = session_client;

} // namespace

TEST_CASE("a track and an untrack are answered, then the room learns of them") {
  auto c = client{};
  c.connect();
  c.join_present("realtime:room", "ada");
  CHECK(c.last().at("event") == "presence_state");
  c.push("realtime:room", "presence", presence_of("track", R"({"n":1})"), "7");
  c.push("realtime:room", "presence", presence_of("untrack", "{}"), "8");
  const auto messages = c.out->messages();
  REQUIRE(messages.size() == 6);
  CHECK(messages[2].at("ref") == "7");
  CHECK(messages[2].at("payload") == boost::json::parse(ok_reply));
  CHECK(messages[3].at("payload").at("joins").at("ada").at("metas").at(0).at("n") == 1);
  CHECK(messages[4].at("ref") == "8");
  CHECK(messages[4].at("payload") == boost::json::parse(ok_reply));
  CHECK(messages[5].at("payload").at("leaves").as_object().contains("ada"));
}

TEST_CASE("without a key the server makes one") {
  auto c = client{};
  c.connect();
  c.join_present("realtime:room", "");
  c.push("realtime:room", "presence", presence_of("track", "{}"));
  const auto joins = c.last().at("payload").at("joins").as_object();
  REQUIRE(joins.size() == 1);
  CHECK(uuid::parse(joins.begin()->key()));
}

TEST_CASE("a bad or too large track is refused and not shown") {
  auto c = client{};
  c.limits.presence_bytes = 100;
  c.connect();
  c.join_present("realtime:room", "ada");
  c.push("realtime:room", "presence", presence_of("track", "7"));
  CHECK(c.last_reason() == "Presence track payload must be a map");
  c.push("realtime:room", "presence",
         presence_of("track", R"({"x":")" + std::string(100, 'x') + "\"}"));
  CHECK(c.last_reason() == "payload_size_exceeded: a presence is at most 100 bytes");
  c.push("realtime:room", "presence", R"({"event":"sync"})");
  CHECK(c.last_status() == "error");
  for (const auto& message : c.out->messages())
    CHECK(message.at("event") != "presence_diff");
}

TEST_CASE("too many presence calls on a channel close it, not the others") {
  auto c = client{};
  c.limits.presence_per_channel = 3;
  c.connect();
  c.join_present("realtime:1", "ada");
  c.join_present("realtime:2", "ada");
  const auto call = [&](const std::string& topic) {
    c.push(topic, "presence", presence_of("track", "{}"));
    return c.last().at("event");
  };
  for (auto i = 0; i < 3; ++i)
    CHECK(call("realtime:1") == "presence_diff");
  c.world.advance(29s);
  CHECK(call("realtime:1") == "phx_close");
  const auto messages = c.out->messages();
  const auto& told = messages.at(messages.size() - 2);
  CHECK(told.at("event") == "system");
  CHECK(told.at("payload").at("message") == "Too many presence messages per second");
  CHECK(call("realtime:2") == "presence_diff");

  c.join_present("realtime:1", "ada");
  CHECK(c.last().at("payload") == boost::json::object{}); // it left the room
  for (auto i = 0; i < 3; ++i)
    CHECK(call("realtime:1") == "presence_diff");
  c.world.advance(30s);
  CHECK(call("realtime:1") == "presence_diff");
}

TEST_CASE("presence has rights of its own on a private channel") {
  auto c = client{};
  c.connect();
  c.rights = {.read = true, .write = true};
  c.join_present(c.conversation_topic(), "ada", c.token());
  CHECK(c.last().at("event") == "phx_reply"); // joined, and told of nobody
  c.push(c.conversation_topic(), "presence", presence_of("track", "{}"));
  CHECK(c.last_reason() == "unauthorized");
  c.push(c.conversation_topic(), "presence", presence_of("untrack", "{}"));
  CHECK(c.last_status() == "ok");
}

TEST_CASE("who may only read presence may join, and hears no broadcast") {
  auto c = client{};
  c.connect();
  c.rights = {.presence_read = true, .presence_write = true};
  c.join_present(c.conversation_topic(), "ada", c.token());
  CHECK(c.last().at("event") == "presence_state");
  c.push(c.conversation_topic(), "presence", presence_of("track", "{}"));
  CHECK(c.last().at("event") == "presence_diff");
  c.push(c.conversation_topic(), "broadcast", broadcast_of("typing", "{}"));
  CHECK(c.last_reason() == "unauthorized");
  auto opened = c.world.ask<open_room>(
      c.hub, open_topic{{"conversation:" + c.conversation.str(), true}});
  REQUIRE(opened);
  c.world.tell(opened->channel, broadcast{opened->number, 0, {"typing", true, "{}"}});
  CHECK(c.out->broadcasts("typing").empty());
}

TEST_CASE("a new token changes what one hears and whether one is shown") {
  auto c = client{};
  c.connect();
  c.rights = {true, true, true, true};
  c.join_present(c.conversation_topic(), "ada", c.token(60s));
  c.push(c.conversation_topic(), "presence", presence_of("track", "{}"));
  const auto renew = [&](storage::topic_rights rights, std::chrono::seconds lifetime) {
    c.rights = rights;
    c.push(c.conversation_topic(), "access_token",
           R"({"access_token":")" + c.token(lifetime) + "\"}");
  };
  renew({.read = true, .presence_read = true}, 120s);
  CHECK(c.last().at("payload").at("leaves").as_object().contains("ada"));
  c.push(c.conversation_topic(), "presence", presence_of("track", "{}"));
  CHECK(c.last_reason() == "unauthorized");
  renew({.read = true}, 180s);
  renew({true, true, true, true}, 240s);
  CHECK(c.last().at("event") == "presence_state");
  renew({.presence_read = true}, 300s);
  CHECK(c.last().at("event") == "presence_state"); // stays
  renew({.write = true, .presence_write = true}, 360s);
  CHECK(c.last().at("event") == "phx_close");
}

TEST_SUITE_END();
