#include "actors/meter.hpp"
#include "tests/fixtures/actor_world.hpp"

#include <doctest/doctest.h>

#include <utility>

TEST_SUITE_BEGIN("actors.meter");

namespace {

using namespace jessica;
using namespace jessica::actors;

/// METER with a TELLER that answers as the test says.
struct meter_room {
  std::vector<quota_wish> wished;
  std::vector<spending> spent;
  result<quota_hold> hold_answer = quota_hold{7};
  result<all_spent> spend_answer = all_spent{false};
  test::actor_world world;
  meter_actor meter;

  meter_room() {
    auto teller = world.own(
        world.sys().spawn([this](teller_actor::pointer) -> teller_actor::behavior_type {
          return {[this](const hold_quota& msg) {
                    wished.push_back(msg.what);
                    return answer(hold_answer);
                  },
                  [](const spend&) { return done{}; },
                  [this](const spend_all& msg) {
                    spent = msg.what;
                    return answer(spend_answer);
                  },
                  [](are_you_free) { return done{}; }};
        }));
    auto prices = std::make_shared<const std::vector<price>>(
        std::vector{price{"small", 1'000'000, 2'000'000}});
    meter = world.own(world.sys().spawn(
        actors::meter, meter_deps{std::move(teller), std::move(prices)}));
    world.settle();
  }
};

} // namespace

TEST_CASE("a hold is TELLER's") {
  auto room = meter_room{};
  const auto who = user_id::make();
  const auto held = room.world.ask<usage_held>(room.meter, hold_usage{who, 12, 34});
  REQUIRE(held);
  CHECK(held->hold == 7);
  REQUIRE(room.wished.size() == 1);
  CHECK(room.wished.front().user == who);
  CHECK(room.wished.front().prompt_tokens == 12);
  CHECK(room.wished.front().reply_tokens == 34);
}

TEST_CASE("a refusal is told as it is") {
  auto room = meter_room{};
  room.hold_answer = fail(errc::overloaded, "a quota is exceeded", "quota_exceeded");
  const auto held =
      room.world.ask<usage_held>(room.meter, hold_usage{user_id::make(), 1, {}});
  REQUIRE_FALSE(held);
  CHECK(held.error().reason == "quota_exceeded");
}

TEST_CASE("what was used goes to TELLER in one piece, with its price") {
  auto room = meter_room{};
  const auto who = user_id::make();
  const auto told = room.world.ask<usage_counted>(
      room.meter, count_usage{{{who, "small", {10, 20, false}, 1, 5},
                               {who, "unpriced", {1, 2, true}, 0, 0}}});
  REQUIRE(told);
  CHECK_FALSE(told->limits);
  REQUIRE(room.spent.size() == 2);
  CHECK(room.spent[0].user == who);
  CHECK(room.spent[0].hold.id == 5);
  CHECK(room.spent[0].replies == 1);
  REQUIRE(room.spent[0].used.cost);
  CHECK(text_of(*room.spent[0].used.cost) == "0.00005");
  CHECK_FALSE(room.spent[1].used.cost);
}

TEST_CASE("a database that is away is told, so that it is counted later") {
  auto room = meter_room{};
  room.spend_answer = fail(errc::unavailable, "no database");
  const auto told = room.world.ask<usage_counted>(room.meter, count_usage{});
  REQUIRE_FALSE(told);
  CHECK(told.error().code == errc::unavailable);
}

TEST_SUITE_END();
