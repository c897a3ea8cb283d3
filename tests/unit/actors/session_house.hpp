// Several clients of one node with a DOORKEEPER: what happens to a user's sockets
// together. The database is a script.
#pragma once

#include "actors/doorkeeper.hpp"
#include "actors/hub.hpp"
#include "actors/session.hpp"
#include "tests/fixtures/actor_world.hpp"
#include "tests/fixtures/dispatcher_stand_in.hpp"
#include "tests/fixtures/judge_stand_in.hpp"
#include "wire/jwt.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jessica::test {

struct session_house {
  static constexpr auto secret =
      std::string_view{"a secret of at least thirty-two bytes"};

  /// One socket.
  struct client {
    session_house* house = nullptr;
    std::shared_ptr<recorded_outbox> out = std::make_shared<recorded_outbox>();
    actors::session_actor session;
    actors::verdict last_verdict = actors::verdict::go_on;

    void push(const std::string& topic, const std::string& event,
              const std::string& payload, const std::string& ref = "2") {
      auto told = house->world.ask<actors::verdict>(
          session,
          actors::client_frame{R"({"topic":")" + topic + R"(","event":")" + event +
                                   R"(","payload":)" + payload + R"(,"ref":")" + ref +
                                   R"(","join_ref":"1"})",
                               false});
      if (told)
        last_verdict = *told;
    }
    /// `more` goes into the join's config.
    void join(const std::string& topic, const std::string& token,
              const std::string& more = R"("private":true)") {
      push(topic, "phx_join",
           R"({"config":{"broadcast":{"ack":true},)" + more + R"(},"access_token":")" +
               token + "\"}",
           "1");
    }
    void say(const std::string& topic, const std::string& event = "x",
             const std::string& payload = "{}") {
      push(topic, "broadcast",
           R"({"type":"broadcast","event":")" + event + R"(","payload":)" + payload +
               "}");
    }
    /// Says nothing but heartbeats, as a client that only listens.
    void listen(std::chrono::seconds time) {
      constexpr auto beat = std::chrono::seconds{25};
      for (; time >= beat; time -= beat) {
        house->pass(beat);
        push("phoenix", "heartbeat", "{}");
      }
      house->pass(time);
    }
    void renew(const std::string& topic, const std::string& token) {
      push(topic, "access_token", R"({"access_token":")" + token + "\"}");
    }

    [[nodiscard]] boost::json::object last() const {
      REQUIRE_FALSE(out->frames.empty());
      return out->messages().back().as_object();
    }
    [[nodiscard]] std::string event() const {
      return std::string{last().at("event").as_string()};
    }
    [[nodiscard]] std::string status() const {
      return std::string{last().at("payload").at("status").as_string()};
    }
    [[nodiscard]] std::string reason() const {
      return std::string{last().at("payload").at("response").at("reason").as_string()};
    }
    /// The `system` messages of status error, behind each of which came a phx_close.
    [[nodiscard]] std::vector<std::string> closed_with() const {
      auto told = std::vector<std::string>{};
      const auto all = out->messages();
      for (auto i = std::size_t{0}; i < all.size(); ++i)
        if (all[i].at("event") == "system" &&
            all[i].at("payload").at("status") == "error") {
          REQUIRE(i + 1 < all.size());
          CHECK(all[i + 1].at("event") == "phx_close");
          CHECK(all[i + 1].at("topic") == all[i].at("topic"));
          told.emplace_back(all[i].at("payload").at("message").as_string());
        }
      return told;
    }
  };

  std::vector<std::vector<login>> asked; ///< of the database, about logins
  std::vector<access_change> over;       ///< what it says: of these, what was asked
  std::optional<error> database_down;    ///< for questions about logins
  bool database_silent = false;          ///< answers at release(), that none is over
  std::vector<caf::typed_response_promise<actors::ended_logins>> unanswered;
  bool probe_silent = false;
  std::vector<caf::typed_response_promise<storage::topic_rights>> unprobed;
  std::vector<actors::change_subscriber> followed;
  std::vector<actors::unsubscribe_changes> unfollowed;
  std::string changes_problem;
  bool changes_silent = false;
  std::vector<turn> stored;
  std::chrono::sys_seconds now{std::chrono::seconds{1'800'000'000}};
  config::realtime_settings limits;
  user_id user = user_id::make();
  std::shared_ptr<actors::crowd> clients = std::make_shared<actors::crowd>();
  actors::memory_actor remembering = {}; ///< null: there is none
  std::shared_ptr<actors::doorkeeper_memory> memory =
      std::make_shared<actors::doorkeeper_memory>(64);
  dispatcher_stand_in dispatcher;
  actor_world world;
  actors::hub_actor hub = world.own(world.sys().spawn(actors::hub));
  actors::reader_actor reader = world.own(start_reader());
  actors::judge_actor judge = world.own(start_judge());
  actors::doorkeeper_actor doorkeeper = world.own(start_doorkeeper());
  std::shared_ptr<const actors::session_deps> deps;
  actors::socket_number sockets = 0;

  [[nodiscard]] actors::ended_logins ended_of(const std::vector<login>& logins) const {
    auto found = actors::ended_logins{};
    for (const auto& one : over)
      for (const auto& who : logins)
        if (one.who == who ||
            (one.what == access_change::kind::shut_out && one.who.user == who.user))
          found.what.push_back(one);
    return found;
  }

  actors::reader_actor start_reader() {
    using namespace actors;
    return world.sys().spawn(
        [this](reader_actor::pointer self) -> reader_actor::behavior_type {
          return {[](const stop_reply&) { return stop_receipt{}; },
                  [this, self](const find_ended& msg) -> caf::result<ended_logins> {
                    asked.push_back(msg.logins);
                    if (database_down)
                      return to_caf(*database_down);
                    if (!database_silent)
                      return ended_of(msg.logins);
                    unanswered.push_back(self->make_response_promise<ended_logins>());
                    return unanswered.back();
                  },
                  [](const fetch_prompt&) { return prompt{}; },
                  [](const store_broadcast&) { return done{}; },
                  [](const fetch_stored&) { return stored_page{}; },
                  [](const change_branch&) { return receipt{}; },
                  [this](are_you_free) {
                    for (auto& one : std::exchange(unanswered, {}))
                      one.deliver(ended_logins{}); // what was true when it was asked
                    return done{};
                  }};
        });
  }

  actors::judge_actor start_judge() {
    using namespace actors;
    return world.sys().spawn(
        [this](judge_actor::pointer self) -> judge_actor::behavior_type {
          return {
              [this, self](const probe_topic&) -> caf::result<storage::topic_rights> {
                if (!probe_silent)
                  return storage::topic_rights{true, true, true, true};
                unprobed.push_back(
                    self->make_response_promise<storage::topic_rights>());
                return unprobed.back();
              },
              [this](judge_batch) {
                for (auto& one : std::exchange(unprobed, {}))
                  one.deliver(storage::topic_rights{true, true, true, true});
              }};
        });
  }

  actors::doorkeeper_actor start_doorkeeper() {
    return world.sys().spawn(
        actors::doorkeeper,
        actors::doorkeeper_deps{reader, memory, [this] { return now; }});
  }

  actors::changefeed_actor start_feed() {
    using namespace actors;
    return world.sys().spawn(
        [this](changefeed_actor::pointer self) -> changefeed_actor::behavior_type {
          return {
              [](read_on) {}, [](hurry_to) {},
              [this, self](subscribe_changes& msg) -> caf::result<changes_subscribed> {
                followed.push_back(std::move(msg.who));
                if (changes_silent)
                  return self->make_response_promise<changes_subscribed>();
                return changes_subscribed{changes_problem};
              },
              [this](const unsubscribe_changes& msg) { unfollowed.push_back(msg); },
              [](await_feed) { return done{}; }};
        });
  }

  actors::persistence_actor start_writer() {
    using namespace actors;
    return world.sys().spawn(
        [this](persistence_actor::pointer) -> persistence_actor::behavior_type {
          return {[this](const enqueue& msg) {
                    stored.push_back(msg.what);
                    return receipt{};
                  },
                  [](const finish&) { return true; },
                  [](const save_progress&) { return job_hold::ours; },
                  [](const give_up&) { return job_status::dead; },
                  [](const use_lease&) {}};
        });
  }

  client connect() {
    if (!deps)
      deps = std::make_shared<const actors::session_deps>(
          actors::session_deps{hub,
                               world.own(start_writer()),
                               {judge},
                               reader,
                               dispatcher.in(world),
                               world.own(start_feed()),
                               doorkeeper,
                               {std::string{secret}, "sb_publishable_x", "sb_secret_x"},
                               limits,
                               1000,
                               [this] { return now; },
                               std::chrono::seconds{12},
                               clients,
                               remembering});
    auto made = client{this, {}, {}};
    made.out = std::make_shared<recorded_outbox>();
    made.session = world.own(world.sys().spawn(
        actors::session, deps,
        actors::session_socket{++sockets, made.out, wire::serializer::v1,
                               std::make_shared<const identity>(identity{})}));
    world.settle();
    return made;
  }

  [[nodiscard]] std::string token(auth_session_id session, user_id whose,
                                  std::chrono::seconds lifetime = std::chrono::seconds{
                                      3600}) const {
    auto grant = session_grant{};
    grant.user.id = whose;
    grant.session = session;
    grant.method = "password";
    return wire::make_access_token(grant, secret, "issuer", now, lifetime);
  }
  [[nodiscard]] std::string token(auth_session_id session) const {
    return token(session, user);
  }

  /// Both clocks.
  void pass(std::chrono::seconds time) {
    for (; time > std::chrono::seconds{0}; time -= std::chrono::seconds{1}) {
      now += std::chrono::seconds{1};
      world.advance(std::chrono::seconds{1});
    }
  }

  /// READER and JUDGE answer what they still owe.
  void release() {
    world.tell(reader, actors::are_you_free{});
    world.tell(judge, actors::judge_batch{});
  }

  /// What the log tells.
  void tell(access_change what) {
    world.tell(doorkeeper, actors::access_changed{{what}});
  }
};

} // namespace jessica::test
