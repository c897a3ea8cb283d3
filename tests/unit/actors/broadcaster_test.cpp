#include "actors/broadcaster.hpp"
#include "tests/fixtures/actor_world.hpp"
#include "tests/fixtures/judge_stand_in.hpp"

#include <doctest/doctest.h>

#include <map>

TEST_SUITE_BEGIN("actors.broadcaster");

namespace {

using namespace jessica;
using namespace jessica::actors;
using namespace std::chrono_literals;

struct desk {
  std::vector<publish_on> published;
  std::vector<store_broadcast> stored;
  std::vector<std::string> probed;
  std::map<std::string, result<storage::topic_rights>> rights;
  result<done> store_answer = done{};
  test::actor_world world;
  broadcaster_actor aut;

  explicit desk(std::size_t events_per_second = 100, bool public_channels = true) {
    auto hub = world.own(
        world.sys().spawn([this](hub_actor::pointer self) -> hub_actor::behavior_type {
          return {[self](join_topic&) -> caf::result<open_room> {
                    return self->make_response_promise<open_room>();
                  },
                  [self](const open_topic&) -> caf::result<open_room> {
                    return self->make_response_promise<open_room>();
                  },
                  [this](publish_on& msg) { published.push_back(msg); },
                  [](const tell_stored&) { return done{}; },
                  [](list_told) { return told_lately{}; }};
        }));
    auto readers = world.own(
        world.sys().spawn([this](reader_actor::pointer) -> reader_actor::behavior_type {
          return {[](const stop_reply&) { return stop_receipt{}; },
                  [](const find_ended&) { return ended_logins{}; },
                  [](const fetch_prompt&) { return prompt{}; },
                  [this](const store_broadcast& msg) {
                    stored.push_back(msg);
                    return answer(store_answer);
                  },
                  [](const fetch_stored&) { return stored_page{}; },
                  [](const change_branch&) { return receipt{}; },
                  [](are_you_free) { return done{}; }};
        }));
    auto judges = test::judges_in(world, [this](const probe_topic& msg) {
      probed.push_back(msg.topic);
      const auto known = rights.find(msg.topic);
      return answer(known == rights.end() ? result<storage::topic_rights>{}
                                          : known->second);
    });
    auto limits = config::realtime_settings{};
    limits.events_per_second = events_per_second;
    limits.public_channels = public_channels;
    aut = world.own(
        world.sys().spawn(broadcaster, broadcaster_deps{hub, judges, readers, limits}));
    world.settle();
  }

  [[nodiscard]] static wire::outgoing_broadcast
  message(std::string topic, bool is_private, std::string event = "e") {
    return {std::move(topic), is_private, {std::move(event), true, "{}", {}}, {}};
  }

  [[nodiscard]] result<broadcasts_sent>
  send(std::vector<wire::outgoing_broadcast> messages, identity who = {},
       std::string ip = "192.0.2.1") {
    return world.ask<broadcasts_sent>(
        aut, send_broadcasts{std::make_shared<const identity>(std::move(who)),
                             std::move(ip), std::move(messages)});
  }
};

[[nodiscard]] identity user() {
  auto who = identity{};
  who.role = db_role::authenticated;
  who.user = user_id::make();
  return who;
}

TEST_CASE("public broadcasts go to their channels without a question") {
  auto d = desk{};
  const auto sent = d.send({d.message("a", false, "1"), d.message("b", false, "2")});
  REQUIRE(sent);
  CHECK(sent->refused == 0);
  CHECK(d.probed.empty());
  REQUIRE(d.published.size() == 2);
  CHECK(d.published[0].topic == topic{"a", false});
  CHECK(d.published[0].what.event == "1");
  CHECK(d.published[1].topic == topic{"b", false});
}

TEST_CASE("where public channels are off, public broadcasts are refused") {
  auto d = desk{100, false};
  d.rights["mine"] = storage::topic_rights{false, true};
  const auto sent = d.send({d.message("a", false), d.message("mine", true)});
  REQUIRE(sent);
  CHECK(sent->refused == 1);
  REQUIRE(d.published.size() == 1);
  CHECK(d.published[0].topic == topic{"mine", true});
}

TEST_CASE("private ones need the right to write, asked once a topic") {
  auto d = desk{};
  d.rights["mine"] = storage::topic_rights{false, true};
  d.rights["heard"] = storage::topic_rights{true, false};
  const auto sent = d.send({d.message("mine", true, "1"), d.message("heard", true),
                            d.message("mine", true, "2"), d.message("none", true)});
  REQUIRE(sent);
  CHECK(sent->refused == 2);
  CHECK(d.probed.size() == 3);
  REQUIRE(d.published.size() == 2);
  CHECK(d.published[0].topic == topic{"mine", true});
  CHECK(d.published[0].what.event == "1");
  CHECK(d.published[1].what.event == "2");
}

TEST_CASE("a policy that cannot judge a topic allows nothing, a lost database fails") {
  auto d = desk{};
  d.rights["odd"] = fail(errc::invalid_input, "not a uuid");
  CHECK(d.send({d.message("odd", true)})->refused == 1);
  d.rights["gone"] = fail(errc::unavailable, "no database");
  const auto sent = d.send({d.message("gone", true), d.message("open", false)});
  REQUIRE_FALSE(sent);
  CHECK(sent.error().code == errc::unavailable);
  CHECK(d.published.empty());
}

TEST_CASE("a conversation's calls and replies cannot be made from outside") {
  auto d = desk{};
  d.rights["conversation:1"] = storage::topic_rights{true, true};
  for (const auto* event : {"reply.delta", "reply.x", "message.send", "reply.stop"})
    CHECK(d.send({d.message("conversation:1", true, event)})->refused == 1);
  CHECK(d.send({d.message("conversation:1", true, "typing")})->refused == 0);
  CHECK(d.send({d.message("conversation:1", false, "reply.delta")})->refused == 0);
}

TEST_CASE("what shall persist is stored as the caller, and sent by the log alone") {
  auto d = desk{};
  d.rights["mine"] = storage::topic_rights{true, true};
  auto lasting = d.message("mine", true);
  lasting.persist = wire::persist_wish{60s};
  const auto who = user();
  REQUIRE(d.send({lasting}, who));
  CHECK(d.published.empty());
  REQUIRE(d.stored.size() == 1);
  CHECK(d.stored[0].who->user == who.user);
  CHECK(d.stored[0].what.topic == "mine");
  CHECK(d.stored[0].what.ttl == 60s);
  CHECK_FALSE(d.stored[0].what.id.none());
  d.store_answer = fail(errc::invalid_input, "no jsonb");
  const auto refused = d.send({lasting}, who);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::invalid_input);
}

TEST_CASE("each caller has its own count a second") {
  auto d = desk{2};
  const auto ada = user();
  const auto two = std::vector{d.message("a", false), d.message("a", false)};
  const auto one = std::vector{d.message("a", false)};
  CHECK(d.send(two, ada));
  const auto over = d.send(one, ada);
  REQUIRE_FALSE(over);
  CHECK(over.error().code == errc::overloaded);
  CHECK(over.error().reason == "too_many_messages");
  CHECK(d.send(two, user()));
  CHECK(d.send(two, {}, "192.0.2.1"));
  CHECK_FALSE(d.send(one, {}, "192.0.2.1"));
  CHECK(d.send(two, {}, "192.0.2.2"));
  auto service = identity{};
  service.role = db_role::service_role;
  CHECK(d.send(two, service));
  CHECK(d.send(two, service));
  d.world.advance(1s);
  CHECK(d.send(two, ada));
}

} // namespace

TEST_SUITE_END();
