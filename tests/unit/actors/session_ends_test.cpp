#include "tests/unit/actors/session_house.hpp"

#include <doctest/doctest.h>

namespace {

using namespace jessica;
using namespace jessica::actors;
using namespace std::chrono_literals;
using kind = access_change::kind;
using strings = std::vector<std::string>;

constexpr auto ended = std::string_view{"Session was ended"};
constexpr auto refused = std::string_view{"InvalidJWTToken: Session was ended"};
constexpr auto open_to_all = R"("private":false)";

struct house : test::session_house {
  auth_session_id here = auth_session_id::make();
  auth_session_id there = auth_session_id::make();
  std::string room = "realtime:conversation:" + conversation_id::make().str();

  void sign_out(auth_session_id which) { tell({kind::signed_out, {user, which}}); }
};

} // namespace

TEST_SUITE("actors.session_ends") {
  TEST_CASE("a login that ends closes all its channels on all sockets, and no others") {
    auto h = house{};
    auto one = h.connect();
    auto two = h.connect();
    auto other = h.connect();
    one.join(h.room, h.token(h.here));
    one.join("realtime:lobby", h.token(h.here), open_to_all);
    one.join("realtime:free", "", open_to_all);
    two.join(h.room, h.token(h.here));
    other.join(h.room, h.token(h.there));
    h.sign_out(h.here);
    CHECK(one.closed_with() == strings(2, std::string{ended}));
    CHECK(two.closed_with() == strings{std::string{ended}});
    CHECK(other.closed_with().empty());
    one.say("realtime:free");
    CHECK(one.status() == "ok");
  }

  TEST_CASE("a message over a channel whose login ended is not stored") {
    auto h = house{};
    auto c = h.connect();
    c.join(h.room, h.token(h.here));
    h.sign_out(h.here);
    c.say(h.room, "message.send", R"({"content":"hello"})");
    CHECK(c.status() == "error");
    CHECK(h.stored.empty());
  }

  TEST_CASE("a token of an ended login is refused without asking the database again") {
    auto h = house{};
    auto c = h.connect();
    c.join(h.room, h.token(h.here));
    h.sign_out(h.here);
    const auto asked = h.asked.size();
    for (const auto* config : {R"("private":true)", open_to_all}) {
      c.join(h.room, h.token(h.here), config);
      CHECK(c.reason() == refused);
    }
    CHECK(h.asked.size() == asked);
    c.join(h.room, h.token(h.there));
    CHECK(c.status() == "ok");
  }

  TEST_CASE(
      "a restarted server asks once about each login and refuses those that ended") {
    auto h = house{};
    h.over = {{kind::signed_out, {h.user, h.here}}};
    auto c = h.connect();
    c.join(h.room, h.token(h.here));
    CHECK(c.reason() == refused);
    c.join("realtime:lobby", h.token(h.here), open_to_all);
    CHECK(c.reason() == refused);
    CHECK(h.asked.size() == 1);
    c.join(h.room, h.token(h.there));
    c.join("realtime:lobby", h.token(h.there), open_to_all);
    CHECK(c.status() == "ok");
    auto second = h.connect();
    second.join(h.room, h.token(h.there));
    CHECK(second.status() == "ok");
    CHECK(h.asked.size() == 2); // known as long as somebody is here with it
  }

  TEST_CASE("who has no login is not asked about") {
    auto h = house{};
    auto c = h.connect();
    c.join("realtime:lobby", "", open_to_all);
    CHECK(c.status() == "ok");
    CHECK(h.asked.empty());
  }

  TEST_CASE("a banned or deleted user's logins all end") {
    auto h = house{};
    auto one = h.connect();
    auto two = h.connect();
    one.join(h.room, h.token(h.here));
    two.join(h.room, h.token(h.there));
    const auto nameless = h.token(auth_session_id{}); // names no session
    two.join("realtime:lobby", nameless, open_to_all);
    h.tell({kind::shut_out, {h.user, {}}});
    CHECK(one.closed_with().size() == 1);
    CHECK(two.closed_with().size() == 2);
    one.join(h.room, h.token(auth_session_id::make()));
    CHECK(one.reason() == refused);
    two.join("realtime:lobby", nameless, open_to_all);
    CHECK(two.reason() == refused);
  }

  TEST_CASE("a ban ends by itself, or when it is lifted") {
    auto h = house{};
    auto c = h.connect();
    c.join(h.room, h.token(h.here));
    h.tell({kind::shut_out, {h.user, {}}, h.now + 60s});
    c.join(h.room, h.token(h.here));
    CHECK(c.reason() == refused);
    h.now += 60s;
    c.join(h.room, h.token(h.here));
    CHECK(c.status() == "ok");
    h.tell({kind::shut_out, {h.user, {}}});
    c.join(h.room, h.token(h.here));
    CHECK(c.reason() == refused);
    h.tell({kind::let_in, {h.user, {}}});
    c.join(h.room, h.token(h.here));
    CHECK(c.status() == "ok");
  }

  TEST_CASE("a login that ends while its join is under way does not get in") {
    auto h = house{};
    auto c = h.connect();
    h.probe_silent = true;
    auto answer = test::ask_later<verdict>(
        h.world, c.session,
        client_frame{R"({"topic":")" + h.room +
                         R"(","event":"phx_join","ref":"1","join_ref":"1","payload":)" +
                         R"({"config":{"private":true},"access_token":")" +
                         h.token(h.here) + "\"}}",
                     false});
    h.world.settle();
    REQUIRE(h.unprobed.size() == 1);
    h.sign_out(h.here);
    CHECK(c.out->frames.empty());
    h.release();
    REQUIRE(answer.arrived());
    CHECK(c.reason() == refused);
    c.say(h.room);
    CHECK(c.reason() == "unmatched topic");
  }

  TEST_CASE("a login that ends while the database is asked about it does not get in") {
    auto h = house{};
    auto c = h.connect();
    h.database_silent = true;
    auto answer = test::ask_later<verdict>(
        h.world, c.session,
        client_frame{R"({"topic":"realtime:x","event":"phx_join","ref":"1","payload":)"
                     R"({"access_token":")" +
                         h.token(h.here) + "\"}}",
                     false});
    h.world.settle();
    REQUIRE(h.unanswered.size() == 1);
    h.sign_out(h.here);
    h.release();
    REQUIRE(answer.arrived());
    CHECK(c.reason() == refused);
  }

  TEST_CASE("a token of an ended login closes the channel it is given to") {
    auto h = house{};
    auto c = h.connect();
    c.join(h.room, h.token(h.there));
    h.over = {{kind::signed_out, {h.user, h.here}}};
    c.renew(h.room, h.token(h.here));
    CHECK(c.closed_with() == strings{std::string{ended}});
  }

  TEST_CASE("a channel belongs to the login of its latest token") {
    auto h = house{};
    auto c = h.connect();
    c.join(h.room, h.token(h.here));
    c.renew(h.room, h.token(h.there));
    h.sign_out(h.here);
    CHECK(c.closed_with().empty());
    h.sign_out(h.there);
    CHECK(c.closed_with().size() == 1);
  }

  TEST_CASE("while nobody can be asked a login that is not known waits outside") {
    auto h = house{};
    auto c = h.connect();
    auto known = h.connect();
    known.join(h.room, h.token(h.there));
    h.database_down = error{errc::unavailable, "down", {}, nullptr};
    c.join(h.room, h.token(h.here));
    CHECK(c.reason().starts_with("UnableToConnectToProject"));
    c.join("realtime:lobby", h.token(h.there), open_to_all);
    CHECK(c.status() == "ok");
    h.database_down.reset();
    c.join(h.room, h.token(h.here));
    CHECK(c.status() == "ok");
  }

  TEST_CASE("when changes may have been missed everybody here is asked about") {
    auto h = house{};
    auto one = h.connect();
    auto two = h.connect();
    one.join(h.room, h.token(h.here));
    two.join(h.room, h.token(h.there));
    h.over = {{kind::signed_out, {h.user, h.here}}};
    h.database_down = error{errc::unavailable, "down", {}, nullptr};
    h.world.tell(h.doorkeeper, doubt_logins{});
    CHECK(one.closed_with().empty());
    h.database_down.reset();
    h.world.advance(1s); // it tries again
    CHECK(one.closed_with() == strings{std::string{ended}});
    CHECK(two.closed_with().empty());
    const auto asked = h.asked.size();
    h.world.advance(10s);
    CHECK(h.asked.size() == asked);
  }

  TEST_CASE("a socket that is gone is forgotten, however it went") {
    auto h = house{};
    auto one = h.connect();
    auto two = h.connect();
    one.join(h.room, h.token(h.here));
    two.join(h.room, h.token(h.there));
    CHECK(h.memory->roll.guests() == 2);
    h.world.tell(one.session, socket_closed{});
    CHECK(h.memory->roll.guests() == 1);
    caf::anon_send_exit(two.session, caf::exit_reason::kill);
    h.world.settle();
    CHECK(h.memory->roll.guests() == 0);
    CHECK(h.memory->sessions.empty());
  }

  TEST_CASE("a login that no channel of the socket uses is forgotten at the next one") {
    auto h = house{};
    auto c = h.connect();
    c.join(h.room, h.token(h.here));
    c.push(h.room, "phx_leave", "{}");
    c.join(h.room, h.token(h.there));
    const auto asked = h.asked.size();
    auto other = h.connect();
    other.join(h.room, h.token(h.here));
    CHECK(h.asked.size() == asked + 1);
  }

  TEST_CASE("a DOORKEEPER that died is followed by one that knows who is here") {
    auto h = house{};
    auto c = h.connect();
    c.join(h.room, h.token(h.here));
    caf::anon_send_exit(h.doorkeeper, caf::exit_reason::kill);
    h.world.settle();
    const auto next = h.world.own(h.start_doorkeeper());
    h.world.settle();
    h.world.tell(next, access_changed{{{kind::signed_out, {h.user, h.here}}}});
    CHECK(c.closed_with().size() == 1);
    h.world.tell(c.session, socket_closed{});
    CHECK(h.memory->sessions.empty());
  }

  TEST_CASE("many logins are one question, those that come meanwhile the next") {
    auto h = house{};
    h.database_silent = true;
    auto clients = std::vector<test::session_house::client>{};
    auto answers = std::vector<test::pending_answer<verdict>>{};
    for (auto i = 0; i < 5; ++i) {
      clients.push_back(h.connect());
      answers.push_back(test::ask_later<verdict>(
          h.world, clients.back().session,
          client_frame{R"({"topic":"realtime:x","event":"phx_join","payload":)"
                       R"({"access_token":")" +
                           h.token(auth_session_id::make()) + "\"}}",
                       false}));
      h.world.settle();
    }
    REQUIRE(h.asked.size() == 1);
    h.release();
    REQUIRE(h.asked.size() == 2);
    CHECK(h.asked[1].size() == 4);
    h.release();
    for (const auto& one : clients)
      CHECK(one.status() == "ok");
  }

  TEST_CASE("a channel ends with its token, also when its client only listens") {
    auto h = house{};
    auto c = h.connect();
    c.join("realtime:key", "", open_to_all);
    c.join("realtime:long", h.token(h.here, h.user, 900s));
    c.join("realtime:short", h.token(h.here, h.user, 100s));
    h.pass(99s);
    CHECK(c.closed_with().empty());
    h.pass(1s);
    CHECK(c.closed_with() == strings{"Token has expired"});
    CHECK(c.last().at("topic") == "realtime:short");
    h.pass(799s);
    CHECK(c.closed_with().size() == 1);
    h.pass(1s);
    CHECK(c.closed_with().size() == 2);
    CHECK(c.last().at("topic") == "realtime:long");
    c.say("realtime:key");
    CHECK(c.status() == "ok");
  }

  TEST_CASE("a channel whose token is renewed in time does not end") {
    auto h = house{};
    auto c = h.connect();
    c.join(h.room, h.token(h.here, h.user, 60s));
    h.pass(59s);
    c.renew(h.room, h.token(h.here, h.user, 600s));
    h.pass(599s);
    CHECK(c.closed_with().empty());
    h.pass(1s);
    CHECK(c.closed_with() == strings{"Token has expired"});
  }

  TEST_CASE("a server that stops says so on every channel, then closes the socket") {
    auto h = house{};
    auto c = h.connect();
    c.join("realtime:a", "", open_to_all);
    c.join("realtime:b", "", open_to_all);
    c.out->frames.clear();
    h.world.tell(c.session, say_goodbye{});
    auto told = strings{};
    for (const auto& message : c.out->messages()) {
      CHECK(message.at("event") == "system");
      const auto& payload = message.at("payload");
      CHECK(payload.at("status") == "ok");
      CHECK(payload.at("message") == "Server requested disconnect");
      told.emplace_back(payload.at("channel").as_string());
    }
    CHECK(told == strings{"a", "b"});
    CHECK(c.out->closed_code == 1012);
  }
}
