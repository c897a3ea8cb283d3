#include "actors/doorkeeper.hpp"
#include "actors/hub.hpp"
#include "actors/session.hpp"
#include "tests/fixtures/actor_world.hpp"
#include "tests/fixtures/dispatcher_stand_in.hpp"
#include "tests/fixtures/judge_stand_in.hpp"

#include <boost/json/serialize.hpp>
#include <caf/typed_response_promise.hpp>
#include <doctest/doctest.h>

TEST_SUITE_BEGIN("actors.session_stored");

namespace {

using namespace jessica;
using namespace jessica::actors;
using namespace std::chrono_literals;

constexpr auto room = std::string_view{"realtime:club"};

/// A client of 2.0.0 with the service key, and the database it talks to.
struct client {
  std::shared_ptr<test::recorded_outbox> out =
      std::make_shared<test::recorded_outbox>();
  std::vector<store_broadcast> stored;
  result<done> store_answer = done{};
  std::vector<fetch_stored> fetched;
  result<stored_page> past = stored_page{};
  bool read_later = false;
  std::vector<caf::typed_response_promise<stored_page>> reading;
  std::vector<caf::typed_response_promise<done>> waiting; ///< for the feed
  result<storage::topic_rights> rights = storage::topic_rights{true, true};
  test::dispatcher_stand_in dispatcher;
  test::actor_world world;
  hub_actor hub = world.own(world.sys().spawn(actors::hub));
  reader_actor readers = make_readers();
  changefeed_actor feed = make_feed();
  session_actor aut;

  client() {
    auto deps = std::make_shared<const session_deps>(session_deps{
        hub,
        {},
        test::judges_in(world, [this](const probe_topic&) { return answer(rights); }),
        readers,
        dispatcher.in(world),
        feed,
        world.own(world.sys().spawn(
            doorkeeper,
            doorkeeper_deps{readers, std::make_shared<doorkeeper_memory>(16),
                            [] { return std::chrono::sys_seconds{1'800'000'000s}; }})),
        {"a secret of at least thirty-two bytes", "sb_publishable_x", "sb_secret_x"},
        {},
        1000,
        [] { return std::chrono::sys_seconds{1'800'000'000s}; }});
    auto key = identity{};
    key.role = db_role::service_role;
    aut = world.own(world.sys().spawn(
        session, deps,
        session_socket{1, out, wire::serializer::v2,
                       std::make_shared<const identity>(std::move(key))}));
    world.settle();
  }
  ~client() {
    reading.clear();
    waiting.clear();
  }
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  void push(std::string bytes, bool binary = false) {
    if (read_later) { // it is not answered before
      caf::anon_send(aut, client_frame{std::move(bytes), binary});
      return world.settle();
    }
    REQUIRE(world.ask<verdict>(aut, client_frame{std::move(bytes), binary}));
  }

  void join(const std::string& broadcast, bool is_private = true,
            const std::string& ref = "1") {
    push("[\"" + ref + "\",\"" + ref + R"(","realtime:club","phx_join",{"config":{)" +
         R"("private":)" + (is_private ? "true" : "false") + R"(,"broadcast":)" +
         broadcast + "}}]");
  }

  /// A broadcast of kind 3 under ref 2.
  void say(std::string_view metadata, std::string_view payload = "{}",
           const std::string& join_ref = "1") {
    auto bytes = std::string{'\x03'};
    for (const auto size : {join_ref.size(), std::size_t{1}, room.size(),
                            std::size_t{1}, metadata.size()})
      bytes += static_cast<char>(size);
    bytes += '\x01';
    bytes += join_ref + "2" + std::string{room} + "e" + std::string{metadata} +
             std::string{payload};
    push(std::move(bytes), true);
  }

  /// Whoever waits for the past gets it.
  void finish_reading() { REQUIRE(world.ask<done>(readers, are_you_free{})); }

  void tell_from_log(const stored_ptr& what) {
    REQUIRE(world.ask<done>(hub, tell_stored{{what}}));
  }

  [[nodiscard]] static stored_ptr one(std::string event, uuid id = uuid::make()) {
    auto made = storage::stored_broadcast{};
    made.id = id;
    made.topic = "club";
    made.event = std::move(event);
    made.payload = "{}";
    made.xid = 5;
    return std::make_shared<const storage::stored_broadcast>(std::move(made));
  }

  /// Frame by frame: an event and what it answers, or "<event> <metadata>".
  [[nodiscard]] std::vector<std::string> heard() const {
    auto all = std::vector<std::string>{};
    for (const auto& frame : out->frames) {
      const auto bytes = test::recorded_outbox::payload_of(*frame);
      if (bytes.front() == '\x04') {
        const auto size = [&](std::size_t at) {
          return static_cast<std::size_t>(static_cast<unsigned char>(bytes[at]));
        };
        all.emplace_back(bytes.substr(5 + size(1), size(2)));
        all.back() += ' ';
        all.back() += bytes.substr(5 + size(1) + size(2), size(3));
        continue;
      }
      const auto message = boost::json::parse(bytes).as_array();
      all.emplace_back(message[3].as_string());
      all.back() += ' ' + boost::json::serialize(message[4]);
    }
    return all;
  }
  [[nodiscard]] std::string last() const {
    return heard().empty() ? "" : heard().back();
  }

private:
  reader_actor make_readers() {
    return world.own(world.sys().spawn(
        [this](reader_actor::pointer self) -> reader_actor::behavior_type {
          return {[](const stop_reply&) { return stop_receipt{}; },
                  [](const find_ended&) { return ended_logins{}; },
                  [](const fetch_prompt&) { return prompt{}; },
                  [this](const store_broadcast& msg) {
                    stored.push_back(msg);
                    return answer(store_answer);
                  },
                  [this, self](const fetch_stored& msg) -> caf::result<stored_page> {
                    fetched.push_back(msg);
                    if (!read_later)
                      return answer(past);
                    reading.push_back(self->make_response_promise<stored_page>());
                    return reading.back();
                  },
                  [](const change_branch&) { return receipt{}; },
                  [this](are_you_free) {
                    for (auto& asker : std::exchange(reading, {}))
                      asker.deliver(past.value());
                    return done{};
                  }};
        }));
  }

  changefeed_actor make_feed() {
    return world.own(world.sys().spawn(
        [this](changefeed_actor::pointer self) -> changefeed_actor::behavior_type {
          return {[this](read_on) {
                    for (auto& asker : std::exchange(waiting, {}))
                      asker.deliver(done{});
                  },
                  [](hurry_to) {},
                  [](const subscribe_changes&) { return changes_subscribed{}; },
                  [](const unsubscribe_changes&) {},
                  [this, self](await_feed) -> caf::result<done> {
                    waiting.push_back(self->make_response_promise<done>());
                    return waiting.back();
                  }};
        }));
  }
};

TEST_CASE_FIXTURE(client,
                  "a broadcast to be stored is stored as the asker, then acked") {
  join(R"({"ack":true})");
  say(R"({"persist":{"ttl":60}})", R"({"n":1})");
  REQUIRE(stored.size() == 1);
  CHECK(stored[0].who->role == db_role::service_role);
  CHECK(stored[0].what.topic == "club");
  CHECK(stored[0].what.event == "e");
  CHECK(stored[0].what.payload == R"({"n":1})");
  CHECK(stored[0].what.ttl == 60s);
  CHECK(last() == R"(phx_reply {"status":"ok","response":{}})");
}

TEST_CASE_FIXTURE(client, "the log brings it, to its sender only if it asked") {
  join(R"({"ack":true})");
  say(R"({"persist":true})");
  const auto before = out->frames.size();
  tell_from_log(one("e", stored[0].what.id));
  CHECK(out->frames.size() == before);
  join(R"({"self":true})", true, "5");
  say(R"({"persist":true})", "{}", "5");
  tell_from_log(one("e", stored[1].what.id));
  CHECK(last() == R"(e {"id":")" + stored[1].what.id.str() + R"("})");
}

TEST_CASE_FIXTURE(client, "what is not stored is told, with or without ack") {
  store_answer = fail(errc::invalid_input, "PostgreSQL's own words");
  join("{}");
  say(R"({"persist":true})");
  CHECK(
      last() ==
      R"(phx_reply {"status":"error","response":{"error":"the payload cannot be stored"}})");
  store_answer = fail(errc::forbidden, "");
  say(R"({"persist":true})");
  CHECK(last() ==
        R"(phx_reply {"status":"error","response":{"error":"unauthorized"}})");
  say(R"({"persist":7})");
  CHECK(last().contains(R"("error":"persist must be true)"));
  CHECK(stored.size() == 2);
}

TEST_CASE_FIXTURE(client, "a public channel stores nothing, no right stores nothing") {
  join("{}", false);
  say(R"({"persist":true})");
  CHECK(last().contains("only private channels store broadcasts"));
  rights = storage::topic_rights{true, false};
  join(R"({"ack":true})", true, "5");
  say(R"({"persist":true})", "{}", "5");
  CHECK(last() ==
        R"(phx_reply {"status":"error","response":{"reason":"unauthorized"}})");
  CHECK(stored.empty());
}

TEST_CASE_FIXTURE(client, "a replay follows the join's answer, oldest first") {
  const auto a = one("a");
  const auto b = one("b");
  past = stored_page{{a, b}};
  join(R"({"replay":{"since":1700000000000,"limit":2}})");
  REQUIRE(fetched.size() == 1);
  CHECK(fetched[0].topic == "club");
  CHECK(fetched[0].since == 1'700'000'000'000ms);
  CHECK(fetched[0].most == 2);
  const auto all = heard();
  REQUIRE(all.size() == 3);
  CHECK(all[0].starts_with("phx_reply"));
  CHECK(all[1] == R"(a {"replayed":true,"id":")" + a->id.str() + R"("})");
  CHECK(all[2] == R"(b {"replayed":true,"id":")" + b->id.str() + R"("})");
}

TEST_CASE_FIXTURE(client, "what comes in while the past is read follows it, once") {
  read_later = true;
  tell_from_log(one("before")); // queries may not see it yet
  join(R"({"replay":{"since":1}})");
  CHECK(fetched.at(0).after == std::vector<std::uint32_t>{5});
  const auto both = one("both");
  tell_from_log(both);
  tell_from_log(one("fresh"));
  CHECK(heard().empty()); // not even the answer
  past = stored_page{{both}};
  finish_reading();
  const auto all = heard();
  REQUIRE(all.size() == 3);
  CHECK(all[1].starts_with(R"(both {"replayed":true)"));
  CHECK(all[2].starts_with(R"(fresh {"id")"));
}

TEST_CASE_FIXTURE(client, "a past that does not fit half the outbox loses its oldest") {
  const auto big = [](std::string event) {
    auto made = *one(std::move(event));
    made.payload = std::string(200'000, ' ') + "{}";
    return std::make_shared<const storage::stored_broadcast>(made);
  };
  past = stored_page{{big("a"), big("b"), big("c")}};
  join(R"({"replay":{"since":1}})");
  const auto all = heard();
  REQUIRE(all.size() == 3);
  CHECK(all[1].starts_with("b "));
  CHECK(all[2].starts_with("c "));
}

TEST_CASE_FIXTURE(client, "a replay that fails makes the client join again") {
  past = fail(errc::unavailable, "no database");
  join(R"({"replay":{"since":1}})");
  CHECK(
      last() ==
      R"(phx_reply {"status":"error","response":{"reason":"UnableToReplayMessages: please try again"}})");
  past = stored_page{};
  join(R"({"replay":{"since":1}})", true, "5");
  CHECK(last().starts_with(R"(phx_reply {"status":"ok")"));
}

TEST_CASE_FIXTURE(client, "a replay for a room that failed meanwhile goes nowhere") {
  read_later = true;
  join(R"({"replay":{"since":1}})");
  const auto lost = world.ask<open_room>(hub, open_topic{{"club", true}});
  REQUIRE(lost);
  caf::anon_send(aut, room_lost{lost->number});
  world.settle();
  CHECK(last().starts_with("phx_error"));
  past = stored_page{{one("a")}};
  finish_reading();
  CHECK(heard().size() == 1);
  read_later = false;
  join("{}", true, "5");
  CHECK(last().starts_with(R"(phx_reply {"status":"ok")"));
}

TEST_CASE_FIXTURE(client, "whoever may not hear broadcasts hears none of the past") {
  rights = storage::topic_rights{false, false, true, false};
  join(R"({"replay":{"since":1}})");
  CHECK(last().starts_with(R"(phx_reply {"status":"ok")"));
  CHECK(fetched.empty());
}

TEST_CASE_FIXTURE(client, "a replay on a public channel, or of nonsense, is refused") {
  join(R"({"replay":{"since":1}})", false);
  CHECK(
      last() ==
      R"(phx_reply {"status":"error","response":{"reason":"UnableToReplayMessages: Replay is not allowed for public channels"}})");
  join(R"({"replay":{"since":1,"limit":26}})");
  CHECK(
      last() ==
      R"(phx_reply {"status":"error","response":{"reason":"UnableToReplayMessages: limit must be 1 to 25"}})");
}

TEST_CASE_FIXTURE(client, "replication_ready is told when the feed is open") {
  join(R"({"replication_ready":true})");
  CHECK(heard().size() == 1);
  CHECK(waiting.size() == 1);
  world.tell(feed, read_on{});
  CHECK(
      last() ==
      R"(system {"extension":"system","status":"ok","message":"Replication connection established","channel":"club"})");
}

TEST_CASE_FIXTURE(client, "after a minute without a feed the channel is closed") {
  join(R"({"replication_ready":true})");
  world.advance(59s);
  CHECK(heard().size() == 1);
  world.advance(2s);
  const auto all = heard();
  REQUIRE(all.size() == 3);
  CHECK(
      all[1] ==
      R"(system {"extension":"system","status":"error","message":"Replication connection timed out","channel":"club"})");
  CHECK(all[2] == "phx_close {}");
}

} // namespace

TEST_SUITE_END();
