#include "actors/judge.hpp"
#include "actors/supervision.hpp"
#include "tests/fixtures/actor_world.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <deque>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

TEST_SUITE_BEGIN("actors.judge");

namespace {

using namespace jessica;
using namespace jessica::actors;
using namespace std::chrono_literals;

using pending = test::pending_answer<storage::topic_rights>;

/// A JUDGE behind its SUPERVISOR. The database is a script: topics that begin with
/// "may" may be read, those that begin with "bad" fail.
struct court {
  std::vector<std::vector<std::string>> batches;
  bool database_down = false;
  bool throws = false;
  std::function<void()> meanwhile; ///< happens once, while the database is asked
  test::actor_world world;
  judge_actor aut;

  explicit court(std::size_t queue_limit = 1000) {
    aut = caf::actor_cast<judge_actor>(world.own(world.sys().spawn(
        supervisor, supervisor_options{
                        "JUDGE", [this, queue_limit] {
                          const auto ask =
                              [this](std::span<const storage::topic_question> asked) {
                                return judge_all(asked);
                              };
                          return caf::actor_cast<caf::actor>(
                              world.sys().spawn(judge, judge_deps{ask, queue_limit}));
                        }})));
    world.settle();
  }

  [[nodiscard]] judgements judge_all(std::span<const storage::topic_question> asked) {
    batches.emplace_back();
    for (const auto& one : asked)
      batches.back().emplace_back(one.topic);
    if (auto happens = std::exchange(meanwhile, nullptr))
      happens();
    if (throws)
      throw std::runtime_error{"no memory"};
    auto found = judgements{};
    for (const auto& one : asked)
      found.push_back(judged(one));
    return found;
  }

  [[nodiscard]] result<storage::topic_rights>
  judged(const storage::topic_question& one) const {
    if (database_down)
      return fail(errc::unavailable, "the connection was lost");
    if (one.topic.starts_with("bad"))
      return fail(errc::invalid_input, "not a uuid");
    const auto own = one.who->email == one.topic;
    return storage::topic_rights{own || one.topic.starts_with("may"), false};
  }

  [[nodiscard]] static probe_topic about(std::string topic, std::string email = {}) {
    auto who = identity{};
    who.email = std::move(email);
    return {std::make_shared<const identity>(std::move(who)), std::move(topic)};
  }

  /// Asked one behind the other, before the JUDGE does anything.
  [[nodiscard]] std::deque<pending> ask(const std::vector<std::string>& topics) {
    auto asked = std::deque<pending>{};
    for (const auto& one : topics)
      asked.push_back(test::ask_later<storage::topic_rights>(world, aut, about(one)));
    return asked;
  }
  [[nodiscard]] result<storage::topic_rights> ask_one(probe_topic what) {
    return world.ask<storage::topic_rights>(aut, std::move(what));
  }
};

[[nodiscard]] std::vector<std::string> numbered(std::size_t count) {
  auto made = std::vector<std::string>{};
  for (auto i = std::size_t{0}; i < count; ++i)
    made.push_back("may " + std::to_string(i));
  return made;
}

TEST_CASE("one that comes alone is asked at once, as who asks") {
  auto c = court{};
  CHECK(c.ask_one(court::about("ada's", "ada's"))->read);
  CHECK_FALSE(c.ask_one(court::about("ada's", "bob's"))->read);
  CHECK(c.batches == std::vector<std::vector<std::string>>{{"ada's"}, {"ada's"}});
}

TEST_CASE("those who come together are asked about together, each for itself") {
  auto c = court{};
  const auto asked = c.ask({"may 1", "bad 2", "no 3", "may 4"});
  c.world.settle();
  REQUIRE(c.batches.size() == 1);
  CHECK(c.batches[0].size() == 4);
  CHECK(asked[0].value()->read);
  REQUIRE_FALSE(asked[1].value());
  CHECK(asked[1].value().error().code == errc::invalid_input);
  CHECK_FALSE(asked[2].value()->read);
  CHECK(asked[3].value()->read);
}

TEST_CASE("what comes while the database is asked is the next batch") {
  auto c = court{};
  auto late = std::deque<pending>{};
  c.meanwhile = [&] { late = c.ask({"may 2", "may 3"}); };
  const auto first = c.ask({"may 1"});
  c.world.settle();
  CHECK(c.batches ==
        std::vector<std::vector<std::string>>{{"may 1"}, {"may 2", "may 3"}});
  CHECK(first[0].value()->read);
  CHECK(late[1].value()->read);
}

TEST_CASE("a batch is of at most 64, and nobody is left behind") {
  auto c = court{};
  const auto asked = c.ask(numbered(150));
  c.world.settle();
  REQUIRE(c.batches.size() == 3);
  CHECK(c.batches[0].size() == 64);
  CHECK(c.batches[1].size() == 64);
  CHECK(c.batches[2].size() == 22);
  for (const auto& one : asked)
    CHECK(one.value()->read);
}

TEST_CASE("what the queue cannot hold is refused, the rest is answered") {
  auto c = court{2};
  const auto asked = c.ask(numbered(3));
  c.world.settle();
  CHECK(asked[0].value()->read);
  CHECK(asked[1].value()->read);
  REQUIRE_FALSE(asked[2].value());
  CHECK(asked[2].value().error().code == errc::overloaded);
  CHECK(c.ask_one(court::about("may"))->read); // there is room again
}

TEST_CASE("while the database is away every question fails, then they are answered") {
  auto c = court{};
  c.database_down = true;
  const auto asked = c.ask(numbered(2));
  c.world.settle();
  for (const auto& one : asked) {
    REQUIRE_FALSE(one.value());
    CHECK(one.value().error().code == errc::unavailable);
  }
  c.database_down = false;
  CHECK(c.ask_one(court::about("may"))->read);
}

TEST_CASE("who waits for a JUDGE that fails hears so, and another takes its place") {
  auto c = court{};
  c.throws = true;
  auto late = std::deque<pending>{};
  c.meanwhile = [&] { late = c.ask({"may 70"}); };
  const auto asked = c.ask(numbered(66)); // two of them not in the batch
  c.world.settle();
  REQUIRE(c.batches.size() == 1);
  for (const auto& one : asked) {
    REQUIRE(one.arrived());
    REQUIRE_FALSE(one.value());
    CHECK(one.value().error().code == errc::unavailable);
  }
  REQUIRE(late[0].arrived());
  CHECK(late[0].value().error().code == errc::unavailable);
  c.throws = false;
  c.world.advance(1s); // the SUPERVISOR's pause
  CHECK(c.ask_one(court::about("may"))->read);
}

} // namespace

TEST_SUITE_END();
