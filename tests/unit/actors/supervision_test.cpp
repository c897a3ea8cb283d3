#include "actors/supervision.hpp"
#include "tests/fixtures/actor_world.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <doctest/doctest.h>

#include <stdexcept>

TEST_SUITE_BEGIN("actors.supervision");

namespace {

using namespace jessica;
using namespace jessica::actors;

/// Stands in for a READER: answers with its own number, or throws for topic "bad".
struct crew {
  int hired = 0;
  std::vector<std::string> done_work;

  make_child hire(test::actor_world& world) {
    return [this, &world] {
      const auto number = ++hired;
      return caf::actor_cast<caf::actor>(world.sys().spawn(
          [this, number](reader_actor::pointer self) -> reader_actor::behavior_type {
            guard(self, "test worker");
            return {

                [](const stop_reply&) { return stop_receipt{}; },
                [](const find_ended&) { return ended_logins{}; },
                [](const fetch_prompt&) { return prompt{}; },
                [](const store_broadcast&) { return done{}; },
                [this, number](const fetch_stored& what) {
                  if (what.topic == "bad")
                    throw std::runtime_error{"bad topic"};
                  done_work.push_back(what.topic + " by " + std::to_string(number));
                  return stored_page{{nullptr}};
                },
                [](const change_branch&) { return receipt{}; },
                [](are_you_free) { return done{}; },
            };
          }));
    };
  }
};

fetch_stored about(std::string topic) {
  return {std::move(topic), {}, 0, {}};
}

} // namespace

TEST_CASE("a pool shares requests out and answers each") {
  auto staff = crew{};
  auto world = test::actor_world{};
  auto readers = caf::actor_cast<reader_actor>(
      world.own(world.sys().spawn(pool, pool_options{"p", 2, 10, staff.hire(world)})));
  world.settle();
  for (const auto* topic : {"a", "b", "c", "d", "e"}) {
    auto answer = world.ask<stored_page>(readers, about(topic));
    REQUIRE(answer);
    CHECK(answer->what.size() == 1);
  }
  CHECK(staff.hired == 2);
  CHECK(staff.done_work.size() == 5);
}

TEST_CASE("a pool refuses what its queue cannot hold, and loses nothing it took") {
  auto staff = crew{};
  auto world = test::actor_world{};
  auto readers = caf::actor_cast<reader_actor>(
      world.own(world.sys().spawn(pool, pool_options{"p", 1, 2, staff.hire(world)})));
  world.settle();
  // Nothing runs between these: one is given to the worker, two wait, the rest is
  // refused.
  auto answers = std::vector<test::pending_answer<stored_page>>{};
  auto asker = world.sys().spawn([&](caf::event_based_actor* self) {
    for (auto i = 0; i < 5; ++i) {
      auto& answer = answers.emplace_back();
      self->request(readers, caf::infinite, about(std::to_string(i)))
          .then([slot = answer.slot](const stored_page& got) { slot->emplace(got); },
                [slot = answer.slot](const caf::error& why) {
                  slot->emplace(std::unexpected{from_caf(why)});
                });
    }
  });
  world.settle();
  auto taken = 0;
  auto refused = 0;
  for (const auto& answer : answers) {
    REQUIRE(answer.arrived());
    taken += answer.value() ? 1 : 0;
    refused += !answer.value() && answer.value().error().code == errc::overloaded;
  }
  CHECK(taken == static_cast<int>(staff.done_work.size()));
  CHECK(taken + refused == 5);
  CHECK(refused >= 1);
}

TEST_CASE(
    "a worker that throws costs its asker an error and is replaced after a pause") {
  auto staff = crew{};
  auto world = test::actor_world{};
  auto readers = caf::actor_cast<reader_actor>(
      world.own(world.sys().spawn(pool, pool_options{"p", 1, 5, staff.hire(world)})));
  world.settle();
  auto broken = world.ask<stored_page>(readers, about("bad"));
  REQUIRE(!broken);
  CHECK(broken.error().code == errc::internal);
  auto waiting = test::ask_later<stored_page>(world, readers, about("next"));
  world.settle();
  CHECK(!waiting.arrived());
  CHECK(staff.hired == 1);
  world.advance(std::chrono::milliseconds{100});
  CHECK(staff.hired == 2);
  REQUIRE(waiting.arrived());
  CHECK(waiting.value());
}

TEST_CASE("a supervised actor that died answers unavailable until it is back") {
  auto staff = crew{};
  auto world = test::actor_world{};
  auto reader = caf::actor_cast<reader_actor>(world.own(
      world.sys().spawn(supervisor, supervisor_options{"S", staff.hire(world)})));
  world.settle();
  CHECK(world.ask<stored_page>(reader, about("ok")));
  CHECK(!world.ask<stored_page>(reader, about("bad")));
  auto down = world.ask<stored_page>(reader, about("ok"));
  REQUIRE(!down);
  CHECK(down.error().code == errc::unavailable);
  world.advance(std::chrono::milliseconds{100});
  CHECK(world.ask<stored_page>(reader, about("ok")));
  CHECK(staff.hired == 2);
}

TEST_CASE("pauses double with each death of the last minute, up to five seconds") {
  auto pause = restart_pause{};
  auto now = std::chrono::steady_clock::time_point{};
  auto seen = std::vector<long>{};
  for (auto i = 0; i < 8; ++i)
    seen.push_back(static_cast<long>(pause.after_death(now).count()));
  CHECK(seen == std::vector<long>{100, 200, 400, 800, 1600, 3200, 5000, 5000});
  CHECK(pause.after_death(now + std::chrono::seconds{61}).count() == 100);
}

TEST_CASE("a message an actor does not know is refused, not swallowed") {
  auto staff = crew{};
  auto world = test::actor_world{};
  auto child = staff.hire(world)();
  world.own(child);
  auto answer = world.ask<done>(child, std::string{"hello"});
  REQUIRE(!answer);
  CHECK(answer.error().code == errc::internal);
}

TEST_SUITE_END();
