// One socket with a SESSION: what its client sends and sees. The rest of the node is a
// script.
#pragma once

#include "actors/doorkeeper.hpp"
#include "actors/hub.hpp"
#include "actors/session.hpp"
#include "tests/fixtures/actor_world.hpp"
#include "tests/fixtures/dispatcher_stand_in.hpp"
#include "tests/fixtures/judge_stand_in.hpp"
#include "wire/jwt.hpp"

#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jessica::test {

/// A database that says yes unless a case wants it otherwise.
struct session_client {
  static constexpr auto secret =
      std::string_view{"a secret of at least thirty-two bytes"};

  std::shared_ptr<recorded_outbox> out = std::make_shared<recorded_outbox>();
  std::vector<turn> sent;
  std::vector<actors::probe_topic> probed;
  result<storage::topic_rights> rights = storage::topic_rights{true, true};
  result<receipt> send_answer = receipt{};
  std::vector<actors::change_subscriber> followed;
  std::string changes_problem;
  std::vector<std::vector<login>> logins_asked;
  result<actors::ended_logins> ended_answer = actors::ended_logins{};
  std::shared_ptr<std::chrono::sys_seconds> now =
      std::make_shared<std::chrono::sys_seconds>(std::chrono::seconds{1'800'000'000});
  config::realtime_settings limits;
  user_id user = user_id::make();
  conversation_id conversation = conversation_id::make();
  dispatcher_stand_in dispatcher;
  actor_world world;
  actors::hub_actor hub = world.own(world.sys().spawn(actors::hub));
  actors::doorkeeper_actor doorkeeper;
  std::shared_ptr<actors::crowd> clients = std::make_shared<actors::crowd>();
  actors::session_actor aut;

  session_client() { limits.events_per_second = 1000; }

  actors::persistence_actor start_writer() {
    using namespace actors;
    return world.own(world.sys().spawn(
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
  }

  actors::reader_actor start_reader() {
    using namespace actors;
    return world.own(
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
  }

  actors::changefeed_actor start_feed() {
    using namespace actors;
    return world.own(world.sys().spawn(
        [this](changefeed_actor::pointer) -> changefeed_actor::behavior_type {
          return {[](read_on) {}, [](hurry_to) {},
                  [this](const subscribe_changes& msg) {
                    followed.push_back(msg.who);
                    return changes_subscribed{changes_problem};
                  },
                  [](const unsubscribe_changes&) {}, [](await_feed) { return done{}; }};
        }));
  }

  std::vector<actors::judge_actor> start_judges() {
    return judges_in(world, [this](const actors::probe_topic& msg) {
      probed.push_back(msg);
      return actors::answer(rights);
    });
  }

  void connect() {
    auto deps = actors::session_deps{};
    deps.hub = hub;
    deps.persistence = start_writer();
    deps.judges = start_judges();
    deps.readers = start_reader();
    deps.dispatcher = dispatcher.in(world);
    deps.changefeed = start_feed();
    deps.doorkeeper = doorkeeper = world.own(world.sys().spawn(
        actors::doorkeeper,
        actors::doorkeeper_deps{deps.readers,
                                std::make_shared<actors::doorkeeper_memory>(16),
                                [now = now] { return *now; }}));
    deps.credentials = {std::string{secret}, "sb_publishable_x", "sb_secret_x"};
    deps.limits = limits;
    deps.max_content_bytes = 1000;
    deps.now = [now = now] { return *now; };
    deps.clients = clients;
    aut = world.own(world.sys().spawn(
        actors::session, std::make_shared<const actors::session_deps>(std::move(deps)),
        actors::session_socket{1, out, wire::serializer::v1,
                               std::make_shared<const identity>(identity{})}));
    world.settle();
  }

  std::string token(std::chrono::seconds lifetime = std::chrono::hours{1}) const {
    auto grant = session_grant{};
    grant.user.id = user;
    grant.session = auth_session_id::make();
    grant.method = "password";
    return wire::make_access_token(grant, secret, "issuer", *now, lifetime);
  }

  void push(const std::string& frame) {
    auto read_on = world.ask<actors::verdict>(aut, actors::client_frame{frame, false});
    REQUIRE(read_on);
    CHECK(*read_on == actors::verdict::go_on);
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

inline std::string broadcast_of(const std::string& event, const std::string& payload) {
  return R"({"type":"broadcast","event":")" + event + R"(","payload":)" + payload + "}";
}

inline std::string presence_of(const std::string& event, const std::string& payload) {
  return R"({"type":"presence","event":")" + event + R"(","payload":)" + payload + "}";
}

inline constexpr auto ok_reply = std::string_view{R"({"status":"ok","response":{}})"};

} // namespace jessica::test
