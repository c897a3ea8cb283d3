#include "actors/judge.hpp"
#include "tests/fixtures/actor_world.hpp"
#include "tests/postgres/seed.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <memory>
#include <string>
#include <utility>

// Whole batches through JUDGE, against row security itself.

namespace jessica::actors {
namespace {

using namespace test;
using pending = pending_answer<storage::topic_rights>;

struct court {
  user_id ada = add_user();
  user_id bob = add_user();
  actor_world world;
  judge_actor aut = world.own(
      world.sys().spawn(judge, judge_deps{judge_on(database()), std::size_t{1000}}));

  [[nodiscard]] static std::string topic_of(conversation_id room) {
    return "conversation:" + room.str();
  }
  [[nodiscard]] pending ask(const identity& who, std::string topic) {
    return ask_later<storage::topic_rights>(
        world, aut,
        probe_topic{std::make_shared<const identity>(who), std::move(topic)});
  }
  void end_connections() {
    admin("select pg_terminate_backend(pid) from pg_stat_activity "
          "where usename = 'authenticator'");
  }
};

} // namespace

TEST_SUITE("actors.judge") {
  TEST_CASE_FIXTURE(court, "a crowd that comes at once gets what row security says") {
    struct question {
      identity who;
      std::string topic;
      pending asked;
    };
    auto crowd = std::deque<question>{};
    for (auto i = 0; i < 50; ++i) {
      const auto hers = topic_of(add_conversation(ada));
      for (const auto& who : {signed_in(ada), signed_in(bob), identity{}})
        crowd.push_back({who, hers, ask(who, hers)});
    }
    crowd.push_back({service(), "lobby", ask(service(), "lobby")});
    crowd.push_back(
        {signed_in(bob), "conversation:x", ask(signed_in(bob), "conversation:x")});
    world.settle();
    auto db = storage::connection{database(), storage::role::requests};
    auto allowed = 0;
    for (const auto& [who, topic, asked] : crowd) {
      REQUIRE(asked.arrived());
      const auto truth = storage::topic_rights_of(db, who, topic);
      REQUIRE(asked.value().has_value() == truth.has_value());
      if (!truth)
        continue;
      const auto& said = *asked.value();
      CHECK(said.read == truth->read);
      CHECK(said.write == truth->write);
      CHECK(said.presence_read == truth->presence_read);
      CHECK(said.presence_write == truth->presence_write);
      allowed += said.read ? 1 : 0;
    }
    CHECK(allowed == 51); // hers, and what the service role asked
  }

  TEST_CASE_FIXTURE(court, "policies that change count from the next question on") {
    const auto asks = [&] {
      const auto asked = ask(signed_in(bob), "club");
      world.settle();
      REQUIRE(asked.value());
      return asked.value()->read;
    };
    CHECK_FALSE(asks());
    admin("create policy t_club on realtime.messages for select to authenticated "
          "using ((select realtime.topic()) = 'club')");
    CHECK(asks());
    admin("drop policy t_club on realtime.messages");
    CHECK_FALSE(asks());
  }

  TEST_CASE_FIXTURE(court, "a connection that breaks costs answers, not the JUDGE") {
    const auto hers = topic_of(add_conversation(ada));
    const auto before = ask(signed_in(ada), hers);
    world.settle();
    CHECK(before.value()->read);
    end_connections();
    auto answered = false;
    for (auto i = 0; i < 20 && !answered; ++i) {
      const auto asked = ask(signed_in(ada), hers);
      world.settle();
      REQUIRE(asked.arrived());
      answered = asked.value().has_value();
      if (!answered)
        CHECK(asked.value().error().code == errc::unavailable);
      else
        CHECK(asked.value()->read);
    }
    CHECK(answered);
  }
}

} // namespace jessica::actors
