#include "actors/doorkeeper.hpp"
#include "actors/hub.hpp"
#include "actors/session.hpp"
#include "tests/fixtures/actor_world.hpp"
#include "tests/fixtures/dispatcher_stand_in.hpp"
#include "tests/fixtures/judge_stand_in.hpp"
#include "wire/jwt.hpp"

#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>

TEST_SUITE_BEGIN("actors.session");

namespace {

using namespace jessica;
using namespace jessica::actors;
using namespace std::chrono_literals;

constexpr auto secret = std::string_view{"a secret of at least thirty-two bytes"};
constexpr auto start_of_time = std::chrono::sys_seconds{1'800'000'000s};

struct client {
  std::shared_ptr<test::recorded_outbox> out =
      std::make_shared<test::recorded_outbox>();
  std::vector<turn> sent;
  std::vector<probe_topic> probed;
  result<storage::topic_rights> rights = storage::topic_rights{true, true};
  result<receipt> send_answer = receipt{};
  std::vector<change_subscriber> followed;
  std::string changes_problem;
  std::vector<std::vector<login>> logins_asked;
  result<ended_logins> ended_answer = ended_logins{};
  std::shared_ptr<std::chrono::sys_seconds> now =
      std::make_shared<std::chrono::sys_seconds>(start_of_time);
  config::realtime_settings limits;
  user_id user = user_id::make();
  conversation_id conversation = conversation_id::make();
  test::dispatcher_stand_in dispatcher;
  test::actor_world world;
  hub_actor hub = world.own(world.sys().spawn(actors::hub));
  doorkeeper_actor doorkeeper;
  std::shared_ptr<crowd> clients = std::make_shared<crowd>();
  session_actor aut;

  client() { limits.events_per_second = 1000; }

  void connect() {
    auto writer = world.own(world.sys().spawn(
        [this](persistence_actor::pointer) -> persistence_actor::behavior_type {
          return {[this](const enqueue& msg) {
                    sent.push_back(msg.what);
                    return answer(send_answer);
                  },
                  [](const finish&) { return true; },
                  [](const save_progress&) { return job_hold::ours; },
                  [](const give_up&) { return job_status::dead; },
                  [](const use_lease&) {}};
        }));
    auto reader = world.own(
        world.sys().spawn([this](reader_actor::pointer) -> reader_actor::behavior_type {
          return {[](const stop_reply&) { return stop_receipt{}; },
                  [this](const find_ended& msg) {
                    logins_asked.push_back(msg.logins);
                    return answer(ended_answer);
                  },
                  [](const fetch_prompt&) { return prompt{}; },
                  [](const store_broadcast&) { return done{}; },
                  [](const fetch_stored&) { return stored_page{}; },
                  [](const change_branch&) { return receipt{}; },
                  [](are_you_free) { return done{}; }};
        }));
    auto feed = world.own(world.sys().spawn(
        [this](changefeed_actor::pointer) -> changefeed_actor::behavior_type {
          return {[](read_on) {}, [](hurry_to) {},
                  [this](const subscribe_changes& msg) {
                    followed.push_back(msg.who);
                    return changes_subscribed{changes_problem};
                  },
                  [](const unsubscribe_changes&) {}, [](await_feed) { return done{}; }};
        }));
    doorkeeper = world.own(world.sys().spawn(
        actors::doorkeeper,
        doorkeeper_deps{reader, std::make_shared<doorkeeper_memory>(16),
                        [now = now] { return *now; }}));
    auto deps = std::make_shared<const session_deps>(
        session_deps{hub,
                     writer,
                     test::judges_in(world,
                                     [this](const probe_topic& msg) {
                                       probed.push_back(msg);
                                       return answer(rights);
                                     }),
                     reader,
                     dispatcher.in(world),
                     feed,
                     doorkeeper,
                     {std::string{secret}, "sb_publishable_x", "sb_secret_x"},
                     limits,
                     1000,
                     [now = now] { return *now; },
                     12s,
                     clients});
    aut = world.own(world.sys().spawn(
        session, deps,
        session_socket{1, out, wire::serializer::v1,
                       std::make_shared<const identity>(identity{})}));
    world.settle();
  }

  std::string token(std::chrono::seconds lifetime = 3600s) const {
    auto grant = session_grant{};
    grant.user.id = user;
    grant.session = auth_session_id::make();
    grant.method = "password";
    return wire::make_access_token(grant, secret, "issuer", *now, lifetime);
  }

  void push(const std::string& frame) {
    auto read_on = world.ask<verdict>(aut, client_frame{frame, false});
    REQUIRE(read_on);
    CHECK(*read_on == verdict::go_on);
  }

  void push(const std::string& topic, const std::string& event,
            const std::string& payload, const std::string& ref = "2",
            const std::string& join_ref = "1") {
    push(R"({"topic":")" + topic + R"(","event":")" + event + R"(","payload":)" +
         payload + R"(,"ref":")" + ref + R"(","join_ref":")" + join_ref + R"("})");
  }

  void join(const std::string& topic, bool is_private, const std::string& token_text,
            bool ack = true) {
    push(topic, "phx_join",
         R"({"config":{"private":)" + std::string{is_private ? "true" : "false"} +
             R"(,"broadcast":{"self":true,"ack":)" + (ack ? "true" : "false") + "}}" +
             (token_text.empty() ? "" : R"(,"access_token":")" + token_text + "\"") +
             "}",
         "1");
  }

  void join_present(const std::string& topic, const std::string& key,
                    const std::string& token_text = "") {
    push(topic, "phx_join",
         R"({"config":{"private":)" +
             std::string{token_text.empty() ? "false" : "true"} +
             R"(,"broadcast":{"ack":true},"presence":{"enabled":true,"key":")" + key +
             R"("}},"access_token":")" + token_text + "\"}",
         "1");
  }

  std::string conversation_topic() const {
    return "realtime:conversation:" + conversation.str();
  }

  boost::json::object last() const { return out->messages().back().as_object(); }
  std::string last_status() const {
    return std::string{last().at("payload").at("status").as_string()};
  }
  std::string last_reason() const {
    return std::string{last().at("payload").at("response").at("reason").as_string()};
  }
};

std::string broadcast_of(const std::string& event, const std::string& payload) {
  return R"({"type":"broadcast","event":")" + event + R"(","payload":)" + payload + "}";
}

std::string presence_of(const std::string& event, const std::string& payload) {
  return R"({"type":"presence","event":")" + event + R"(","payload":)" + payload + "}";
}

constexpr auto ok_reply = std::string_view{R"({"status":"ok","response":{}})"};

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

TEST_CASE("message.send stores the turn as the token's user and answers with its ids") {
  auto c = client{};
  c.connect();
  c.send_answer = receipt{c.conversation, message_id::make(), message_id::make(), {9}};
  c.join(c.conversation_topic(), true, c.token());
  c.push(c.conversation_topic(), "broadcast",
         broadcast_of("message.send", R"({"content":"hello","client_id":"k1"})"));
  REQUIRE(c.sent.size() == 1);
  CHECK(c.sent[0].author == c.user);
  CHECK(c.sent[0].conversation == c.conversation);
  CHECK(c.sent[0].client_id == "k1");
  CHECK(c.last_status() == "ok");
  CHECK(c.last().at("payload").at("response").at("job_id") == 9);
}

TEST_CASE("bad sends are refused with their reason and store nothing") {
  auto c = client{};
  c.connect();
  c.join(c.conversation_topic(), true, c.token());
  for (const auto& body : {std::string{"{}"}, std::string{R"({"content":""})"},
                           R"({"content":")" + std::string(2000, 'x') + "\"}"}) {
    c.push(c.conversation_topic(), "broadcast", broadcast_of("message.send", body));
    CHECK(c.last_status() == "error");
  }
  CHECK(c.sent.empty());
}

TEST_CASE("a refused send says why") {
  auto c = client{};
  c.connect();
  c.join(c.conversation_topic(), true, c.token());
  c.send_answer = fail(errc::forbidden, "row security", "conversation_not_found");
  c.push(c.conversation_topic(), "broadcast",
         broadcast_of("message.send", R"({"content":"x"})"));
  CHECK(c.last_reason() == "conversation_not_found");
}

TEST_CASE("a send over the quota says which limit, and when it resets") {
  auto c = client{};
  c.connect();
  c.join(c.conversation_topic(), true, c.token());
  auto why = error{errc::overloaded, "x", "quota_exceeded", nullptr};
  why.sql = std::make_shared<const sql_fault>(sql_fault{
      "PGRST",
      R"({"code":"quota_exceeded","details":"{\"code\":\"quota_exceeded\",)"
      R"(\"limit\":\"tokens_per_day\",\"limit_value\":5,\"retry_after\":9}"})",
      {},
      {}});
  c.send_answer = std::unexpected{why};
  c.push(c.conversation_topic(), "broadcast",
         broadcast_of("message.send", R"({"content":"x"})"));
  CHECK(c.last_status() == "error");
  CHECK(c.last_reason() == "quota_exceeded");
  const auto told = c.last();
  const auto& response = told.at("payload").at("response");
  CHECK(response.at("code") == "quota_exceeded");
  CHECK(response.at("limit") == "tokens_per_day");
  CHECK(response.at("limit_value") == 5);
}

TEST_CASE("clients cannot pretend to be the reply stream") {
  auto c = client{};
  c.connect();
  c.join(c.conversation_topic(), true, c.token());
  c.push(c.conversation_topic(), "broadcast", broadcast_of("reply.delta", "{}"));
  CHECK(c.last_reason() == "reserved_event");
  CHECK(c.out->broadcasts("reply.delta").empty());
}

TEST_CASE("reply.stop stops a reply as the channel's user") {
  auto c = client{};
  c.connect();
  c.join(c.conversation_topic(), true, c.token());
  const auto reply = message_id::make();
  c.push(c.conversation_topic(), "broadcast",
         broadcast_of("reply.stop", R"({"id":")" + reply.str() + R"("})"));
  REQUIRE(c.dispatcher.stops.size() == 1);
  CHECK(c.dispatcher.stops[0].who->user == c.user);
  CHECK(c.dispatcher.stops[0].reply == reply);
  CHECK(c.last_status() == "ok");
  CHECK(c.last().at("payload").at("response").at("status") == "cancelling");
  CHECK(c.out->broadcasts("reply.stop").empty()); // not relayed
}

TEST_CASE("a stop that names no reply, or another's, is refused") {
  auto c = client{};
  c.connect();
  c.join(c.conversation_topic(), true, c.token());
  for (const auto* body : {"{}", R"({"id":7})", R"({"id":"nonsense"})"}) {
    c.push(c.conversation_topic(), "broadcast", broadcast_of("reply.stop", body));
    CHECK(c.last_status() == "error");
  }
  CHECK(c.dispatcher.stops.empty());
  c.dispatcher.stop_answer = fail(errc::not_found, "no such reply", "reply_not_found");
  c.push(c.conversation_topic(), "broadcast",
         broadcast_of("reply.stop", R"({"id":")" + message_id::make().str() + R"("})"));
  CHECK(c.last_reason() == "reply_not_found");
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
