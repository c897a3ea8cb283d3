#include "tests/unit/actors/session_house.hpp"

#include <doctest/doctest.h>

namespace {

using namespace jessica;
using namespace jessica::actors;
using namespace std::chrono_literals;
using strings = std::vector<std::string>;
using test::session_house;

constexpr auto open_to_all = R"("private":false)";

} // namespace

TEST_SUITE("actors.session_limits") {
  TEST_CASE("a socket that joins too often is refused and closed") {
    auto h = session_house{};
    h.limits.joins_per_second = 2;
    auto c = h.connect();
    c.join("realtime:1", "", open_to_all);
    c.join("realtime:2", "", open_to_all);
    CHECK(c.last_verdict == verdict::go_on);
    c.join("realtime:3", "", open_to_all);
    CHECK(c.reason() == "ClientJoinRateLimitReached: Too many joins per second");
    CHECK(c.last_verdict == verdict::close);
    h.world.advance(1s);
    c.join("realtime:3", "", open_to_all);
    CHECK(c.status() == "ok");
  }

  TEST_CASE("a user's sockets share their joins, and nobody else's") {
    auto h = session_house{};
    h.limits.user_joins_per_second = 3;
    h.world.advance(1s);
    auto one = h.connect();
    auto two = h.connect();
    auto other = h.connect();
    const auto session = auth_session_id::make();
    one.join("realtime:1", h.token(session));
    one.join("realtime:2", h.token(session));
    two.join("realtime:1", h.token(auth_session_id::make()));
    CHECK(two.status() == "ok");
    two.join("realtime:2", h.token(session));
    CHECK(two.reason() == "ClientJoinRateLimitReached: Too many joins per second");
    CHECK(two.last_verdict == verdict::close);
    other.join("realtime:1", h.token(auth_session_id::make(), user_id::make()));
    CHECK(other.status() == "ok");
    h.world.advance(1s);
    two.join("realtime:2", h.token(session));
    CHECK(two.status() == "ok");
  }

  TEST_CASE("a user who comes back with a new socket has not become another one") {
    auto h = session_house{};
    h.limits.user_joins_per_second = 1;
    const auto session = auth_session_id::make();
    auto one = h.connect();
    one.join("realtime:1", h.token(session));
    h.world.tell(one.session, socket_closed{});
    auto two = h.connect();
    two.join("realtime:1", h.token(session));
    CHECK(two.last_verdict == verdict::close);
  }

  TEST_CASE("a socket may be in so many channels and no more") {
    auto h = session_house{};
    h.limits.channels_per_socket = 1;
    auto c = h.connect();
    c.join("realtime:1", "", open_to_all);
    c.join("realtime:2", "", open_to_all);
    CHECK(c.reason() == "ChannelRateLimitReached: Too many channels");
    CHECK(c.last_verdict == verdict::go_on);
    c.join("realtime:1", "", open_to_all); // again
    CHECK(c.status() == "ok");
  }

  TEST_CASE("so many clients may be in channels, and a place that is left is free") {
    auto h = session_house{};
    h.limits.max_clients = 2;
    auto one = h.connect();
    auto two = h.connect();
    auto three = h.connect();
    one.join("realtime:1", "", open_to_all);
    one.join("realtime:2", "", open_to_all); // the same client
    two.join("realtime:1", "", open_to_all);
    three.join("realtime:1", "", open_to_all);
    CHECK(three.reason() == "ConnectionRateLimitReached: Too many connected users");
    CHECK(three.last_verdict == verdict::go_on);
    h.world.tell(one.session, socket_closed{});
    three.join("realtime:1", "", open_to_all);
    CHECK(three.status() == "ok");
    caf::anon_send_exit(two.session, caf::exit_reason::kill);
    h.world.settle();
    auto four = h.connect();
    four.join("realtime:1", "", open_to_all);
    CHECK(four.status() == "ok");
  }

  TEST_CASE("too many events of a socket close the channel with the reason") {
    auto h = session_house{};
    h.limits.events_per_second = 2;
    auto c = h.connect();
    c.join("realtime:1", "", open_to_all);
    c.say("realtime:1");
    c.say("realtime:1");
    CHECK(c.closed_with().empty());
    c.say("realtime:1");
    CHECK(c.closed_with() == strings{"Too many messages per second"});
    CHECK(c.last_verdict == verdict::go_on);
  }

  TEST_CASE("a user's sockets share their events, and nobody else's") {
    auto h = session_house{};
    h.limits.user_events_per_second = 3;
    auto one = h.connect();
    auto two = h.connect();
    auto other = h.connect();
    one.join("realtime:1", h.token(auth_session_id::make()));
    two.join("realtime:1", h.token(auth_session_id::make()));
    other.join("realtime:1", h.token(auth_session_id::make(), user_id::make()));
    one.say("realtime:1");
    two.say("realtime:1");
    one.say("realtime:1");
    two.say("realtime:1");
    CHECK(one.closed_with().empty());
    CHECK(two.closed_with() == strings{"Too many messages per second"});
    other.say("realtime:1");
    CHECK(other.closed_with().empty());
    h.world.advance(1s);
    one.say("realtime:1");
    CHECK(one.closed_with().empty());
  }

  TEST_CASE("too many bytes of a socket, or of a user, close the channel") {
    auto h = session_house{};
    h.limits.bytes_per_second = 2000;
    h.limits.user_bytes_per_second = 2500;
    const auto much = '"' + std::string(1200, 'x') + '"';
    auto one = h.connect();
    auto two = h.connect();
    const auto session = auth_session_id::make();
    one.join("realtime:1", h.token(session));
    one.say("realtime:1", "x", much);
    CHECK(one.closed_with().empty());
    one.say("realtime:1", "x", much);
    CHECK(one.closed_with() == strings{"Too many bytes per second"});
    two.join("realtime:1", h.token(session));
    two.say("realtime:1", "x", much);
    CHECK(two.closed_with() == strings{"Too many bytes per second"});
    h.world.advance(1s);
    one.join("realtime:1", h.token(session));
    one.say("realtime:1", "x", much);
    CHECK(one.closed_with().size() == 1);
  }

  TEST_CASE(
      "a payload that is too large is refused, or dropped where no answer is asked") {
    auto h = session_house{};
    h.limits.payload_bytes = 100;
    auto hears = h.connect();
    hears.join("realtime:1", "", open_to_all);
    auto c = h.connect();
    c.join("realtime:1", "", open_to_all);
    c.say("realtime:1", "x", '"' + std::string(100, 'x') + '"');
    CHECK(c.reason() == "payload_size_exceeded");
    c.push("realtime:2", "phx_join", "{}", "1");
    const auto before = c.out->frames.size();
    c.say("realtime:2", "x", '"' + std::string(100, 'x') + '"');
    CHECK(c.out->frames.size() == before);
    CHECK(hears.out->broadcasts("x").empty());
    c.say("realtime:1", "x", '"' + std::string(98, 'x') + '"');
    CHECK(c.status() == "ok");
    CHECK(hears.out->messages().back().at("event") == "broadcast");
  }

  TEST_CASE("where public channels are switched off only private ones are joined") {
    auto h = session_house{};
    h.limits.public_channels = false;
    auto c = h.connect();
    c.join("realtime:1", h.token(auth_session_id::make()), open_to_all);
    CHECK(c.reason() == "PrivateOnly: This project only allows private channels");
    c.join("realtime:1", h.token(auth_session_id::make()));
    CHECK(c.status() == "ok");
  }

  constexpr auto following =
      R"("private":false,"postgres_changes":[{"event":"*","schema":"public"}],)"
      R"("postgres_changes_options":{"wait":true,"timeout":3000})";

  TEST_CASE(
      "a join that waits for its changes is refused when they cannot be followed") {
    auto h = session_house{};
    h.changes_problem = "Unable to subscribe to changes with given parameters.";
    auto c = h.connect();
    c.join("realtime:1", "", following);
    CHECK(c.reason() == "RealtimeDisabledForConfiguration: Unable to subscribe to "
                        "changes with given parameters.");
    CHECK(h.unfollowed.size() == 1);
    h.changes_problem.clear();
    c.join("realtime:1", "", following);
    CHECK(c.event() == "system");
    CHECK(c.status() == "ok");
  }

  TEST_CASE("a join waits for its changes no longer than it asked for") {
    auto h = session_house{};
    h.changes_silent = true;
    auto c = h.connect();
    auto answer = test::ask_later<verdict>(
        h.world, c.session,
        client_frame{std::string{R"({"topic":"realtime:1","event":"phx_join",)"
                                 R"("payload":{"config":{)"} +
                         following + "}}}",
                     false});
    h.world.advance(2999ms);
    CHECK(c.out->frames.empty());
    h.world.advance(1ms);
    REQUIRE(answer.arrived());
    CHECK(c.reason() ==
          "PostgresChangesSubscribeTimeout: Timed out after 3000ms waiting "
          "for the postgres_changes subscription");
    CHECK(h.unfollowed.size() == 1);
    c.say("realtime:1");
    CHECK(c.reason() == "unmatched topic");
  }
}
