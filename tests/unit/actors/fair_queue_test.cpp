#include "actors/fair_queue.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

namespace {

using namespace jessica;
using namespace jessica::actors;

const auto ada = user_id::make();
const auto bob = user_id::make();

[[nodiscard]] job of(user_id whose, std::int64_t id) {
  auto made = job{};
  made.id = {id};
  made.user = whose;
  return made;
}

/// The ids of all that may run now, in order.
[[nodiscard]] std::string taken(fair_queue& from) {
  auto ids = std::string{};
  while (const auto next = from.take())
    ids += std::to_string(next->id.value) + ' ';
  return ids;
}

} // namespace

TEST_SUITE("actors.fair_queue") {
  TEST_CASE("users take turns, each in the order of sending") {
    auto queue = fair_queue{10};
    for (const auto id : {1, 2, 3})
      queue.push(of(ada, id));
    queue.push(of(bob, 4));
    queue.push(of(bob, 5));
    CHECK(queue.waiting() == 5);
    CHECK(taken(queue) == "1 4 2 5 3 ");
    CHECK(queue.waiting() == 0);
  }

  TEST_CASE("a user runs a few at once, and the next when one ends") {
    auto queue = fair_queue{2};
    for (const auto id : {1, 2, 3, 4})
      queue.push(of(ada, id));
    queue.push(of(bob, 9));
    CHECK(taken(queue) == "1 9 2 ");
    CHECK(queue.waiting() == 2);
    queue.ended(ada);
    CHECK(taken(queue) == "3 ");
    queue.ended(bob);
    CHECK(taken(queue).empty());
  }

  TEST_CASE("users are full with what they run and wait with") {
    auto queue = fair_queue{2};
    CHECK(queue.full().empty());
    queue.push(of(ada, 1));
    CHECK(queue.full().empty());
    queue.push(of(ada, 2));
    CHECK(queue.full() == std::vector{ada});
    (void)taken(queue);
    CHECK(queue.full() == std::vector{ada});
    queue.ended(ada);
    CHECK(queue.full().empty());
  }

  TEST_CASE("a removed job is not taken, and counts as running until it ends") {
    auto queue = fair_queue{1};
    queue.push(of(ada, 1));
    queue.push(of(ada, 2));
    const auto removed = queue.remove({1});
    REQUIRE(removed);
    CHECK(removed->id == job_id{1});
    CHECK(!queue.remove({1}));
    CHECK(queue.waiting() == 1);
    queue.ended(ada);
    CHECK(taken(queue) == "2 ");
  }

  TEST_CASE("an end of nothing, and forgetting, leave a queue that works") {
    auto queue = fair_queue{1};
    queue.ended(ada);
    queue.push(of(ada, 1));
    queue.clear();
    CHECK(queue.waiting() == 0);
    CHECK(taken(queue).empty());
    queue.push(of(ada, 2));
    CHECK(taken(queue) == "2 ");
  }

  TEST_CASE("it lists what waits") {
    auto queue = fair_queue{1};
    queue.push(of(ada, 1));
    queue.push(of(ada, 2));
    (void)queue.take();
    auto waiting = std::unordered_set<job_id>{};
    queue.list_waiting(waiting);
    CHECK(waiting == std::unordered_set<job_id>{{2}});
  }
}
