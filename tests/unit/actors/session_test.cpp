#include "tests/unit/actors/session_client.hpp"

#include <doctest/doctest.h>

TEST_SUITE_BEGIN("actors.session");

namespace {

using namespace jessica;
using namespace jessica::actors;
using namespace jessica::test;
using namespace std::chrono_literals;
using client = session_client;

} // namespace

TEST_CASE("a heartbeat is answered") {
  auto c = client{};
  c.connect();
  c.push("phoenix", "heartbeat", "{}", "18");
  CHECK(c.last().at("ref") == "18");
  CHECK(c.last_status() == "ok");
}

TEST_CASE("malformed frames are dropped and the socket goes on") {
  auto c = client{};
  c.connect();
  c.push("{{{");
  c.push("[]");
  c.push("");
  CHECK(c.out->frames.empty());
  c.push("phoenix", "heartbeat", "{}");
  CHECK(c.out->frames.size() == 1);
}

TEST_CASE("a public channel is joined without asking the database") {
  auto c = client{};
  c.connect();
  c.join("realtime:room", false, "");
  CHECK(c.last_status() == "ok");
  CHECK(c.probed.empty());
}

TEST_CASE("a private channel is joined only with the right to read it") {
  auto c = client{};
  c.connect();
  c.join(c.conversation_topic(), true, c.token());
  CHECK(c.last_status() == "ok");
  REQUIRE(c.probed.size() == 1);
  CHECK(c.probed[0].who->user == c.user);
  c.rights = storage::topic_rights{false, false};
  c.join("realtime:conversation:other", true, c.token());
  CHECK(c.last_status() == "error");
  CHECK(c.last_reason().starts_with("Unauthorized"));
}

TEST_CASE("a bad or expired token cannot join") {
  auto c = client{};
  c.connect();
  c.join("realtime:room", false, "not.a.token");
  CHECK(c.last_status() == "error");
  auto old = c.token(60s);
  *c.now += 3600s;
  c.join("realtime:room", false, old);
  CHECK(c.last_status() == "error");
  CHECK(c.last_reason().starts_with("InvalidJWTToken"));
}

TEST_CASE("an empty topic is refused by name") {
  auto c = client{};
  c.connect();
  c.join("realtime:", false, "");
  CHECK(c.last_reason().starts_with("TopicNameRequired"));
}

TEST_CASE("a database that is away refuses the join and the client may try again") {
  auto c = client{};
  c.connect();
  c.rights = fail(errc::unavailable, "down");
  c.join(c.conversation_topic(), true, c.token());
  CHECK(c.last_status() == "error");
  c.rights = storage::topic_rights{true, true};
  c.join(c.conversation_topic(), true, c.token());
  CHECK(c.last_status() == "ok");
}

TEST_CASE("an event on a topic that was not joined is refused") {
  auto c = client{};
  c.connect();
  c.push("realtime:room", "broadcast", broadcast_of("x", "{}"));
  CHECK(c.last_reason() == "unmatched topic");
}

TEST_CASE("a broadcast is acknowledged and comes back when asked for") {
  auto c = client{};
  c.connect();
  c.join("realtime:room", false, "");
  c.push("realtime:room", "broadcast", broadcast_of("x", R"({"n":1})"));
  CHECK(c.out->broadcasts("x").size() == 1);
  auto acknowledged = false;
  for (const auto& message : c.out->messages())
    acknowledged |= message.at("event") == "phx_reply" && message.at("ref") == "2";
  CHECK(acknowledged);
}

TEST_CASE("who may only read cannot broadcast") {
  auto c = client{};
  c.connect();
  c.rights = storage::topic_rights{true, false};
  c.join(c.conversation_topic(), true, c.token());
  c.push(c.conversation_topic(), "broadcast", broadcast_of("typing", "{}"));
  CHECK(c.last_reason() == "unauthorized");
  CHECK(c.out->broadcasts("typing").empty());
}

TEST_CASE("a leave is answered and closes the channel with its join_ref") {
  auto c = client{};
  c.connect();
  c.join("realtime:room", false, "");
  c.push("realtime:room", "phx_leave", "{}", "7");
  CHECK(c.last().at("event") == "phx_close");
  CHECK(c.last().at("ref") == "1");
  c.push("realtime:room", "broadcast", broadcast_of("x", "{}"));
  CHECK(c.last_reason() == "unmatched topic");
}

TEST_CASE("a second join of a topic closes the first") {
  auto c = client{};
  c.connect();
  c.join("realtime:room", false, "");
  c.join("realtime:room", false, "");
  auto closed = 0;
  for (const auto& message : c.out->messages())
    closed += message.at("event") == "phx_close";
  CHECK(closed == 1);
  CHECK(c.last_status() == "ok");
}

TEST_CASE("an event with an older join_ref is ignored") {
  auto c = client{};
  c.connect();
  c.join("realtime:room", false, "");
  const auto before = c.out->frames.size();
  c.push("realtime:room", "broadcast", broadcast_of("x", "{}"), "5", "0");
  CHECK(c.out->frames.size() == before);
}

TEST_CASE("a renewed token keeps the channel; one without rights closes it") {
  auto c = client{};
  c.connect();
  c.join(c.conversation_topic(), true, c.token(120s));
  *c.now += 60s;
  c.push(c.conversation_topic(), "access_token",
         R"({"access_token":")" + c.token(3600s) + "\"}");
  *c.now += 600s; // the first token is over, the second is not
  c.push(c.conversation_topic(), "broadcast", broadcast_of("typing", "{}"));
  CHECK(c.out->broadcasts("typing").size() == 1);
  c.rights = storage::topic_rights{false, false};
  c.push(c.conversation_topic(), "access_token",
         R"({"access_token":")" + c.token(7200s) + "\"}");
  CHECK(c.last().at("event") == "phx_close");
}

TEST_CASE("a channel whose token ended is closed with the reason") {
  auto c = client{};
  c.connect();
  c.join(c.conversation_topic(), true, c.token(60s));
  *c.now += 3600s;
  c.push(c.conversation_topic(), "broadcast", broadcast_of("typing", "{}"));
  CHECK(c.last().at("event") == "phx_close");
  const auto messages = c.out->messages();
  CHECK(messages[messages.size() - 2].at("event") == "system");
}

TEST_CASE("a join that follows changes is told how that went, behind its answer") {
  auto c = client{};
  c.connect();
  for (const auto* problem : {"", "no such table"}) {
    c.changes_problem = problem;
    c.out->frames.clear();
    c.push("realtime:room " + std::string{problem}, "phx_join",
           R"({"config":{"postgres_changes":[{"event":"*","schema":"public"}]}})", "1");
    const auto messages = c.out->messages();
    REQUIRE(messages.size() == 2);
    CHECK(messages[0]
              .at("payload")
              .at("response")
              .at("postgres_changes")
              .at(0)
              .at("id") == 1);
    CHECK(messages[1].at("event") == "system");
    CHECK(messages[1].at("payload").at("status") ==
          (c.changes_problem.empty() ? "ok" : "error"));
  }
  CHECK(c.followed.size() == 2);
}

TEST_CASE("a socket that dies is gone for the others") {
  auto c = client{};
  c.connect();
  auto other = std::make_shared<test::recorded_outbox>();
  auto who = newcomer{};
  who.member.socket = 99;
  who.member.out = other;
  who.member.version = wire::serializer::v1;
  who.member.presence = true;
  who.join_response = "{}";
  REQUIRE(c.world.ask<open_room>(c.hub, join_topic{{"room", false}, who}));
  c.join_present("realtime:room", "ada");
  c.push("realtime:room", "presence", presence_of("track", "{}"));
  c.world.tell(c.aut, socket_closed{});
  const auto told = other->messages().back();
  CHECK(told.at("event") == "presence_diff");
  CHECK(told.at("payload").at("leaves").as_object().contains("ada"));
}

TEST_CASE("a closed socket leaves its topics and the session ends") {
  auto c = client{};
  c.connect();
  c.join("realtime:room", false, "");
  auto opened = c.world.ask<open_room>(c.hub, open_topic{{"room", false}});
  REQUIRE(opened);
  const auto before = c.out->frames.size();
  c.world.tell(c.aut, socket_closed{});
  c.world.tell(opened->channel, broadcast{opened->number, 0, {"x", true, "{}"}});
  CHECK(c.out->frames.size() == before);
  CHECK(!c.world.ask<verdict>(c.aut, client_frame{"{}", false}));
}

TEST_CASE("a channel that failed is reported so that the client rejoins") {
  auto c = client{};
  c.connect();
  c.join("realtime:room", false, "");
  auto opened = c.world.ask<open_room>(c.hub, open_topic{{"room", false}});
  REQUIRE(opened);
  caf::anon_send_exit(opened->channel, caf::exit_reason::unhandled_exception);
  c.world.settle();
  CHECK(c.last().at("event") == "phx_error");
  c.join("realtime:room", false, "");
  CHECK(c.last_status() == "ok");
}

TEST_SUITE_END();
