#include "tests/unit/actors/clerk_office.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

TEST_SUITE_BEGIN("actors.clerk");

namespace {

using namespace jessica;
using namespace jessica::actors;
using std::chrono::seconds;

constexpr auto line_count = std::size_t{2};
constexpr auto queue_limit = std::size_t{2};

/// A CLERK with two lines that are busy until the test says otherwise.
struct office : test::clerk_office {
  office() : clerk_office(line_count, queue_limit, false) {}

  struct asked {
    std::shared_ptr<const rest_request> what;
    test::pending_answer<rest_reply> answer;
  };
  [[nodiscard]] asked ask() {
    auto what = std::make_shared<const rest_request>();
    auto answer = test::ask_later<rest_reply>(world, clerk_, perform{what});
    world.settle();
    return {what, std::move(answer)};
  }
};

} // namespace

TEST_CASE("requests run side by side, each on a line of its own") {
  auto all = office{};
  auto one = all.ask();
  auto two = all.ask();
  REQUIRE(all.lines.size() == 2);
  CHECK(all.lines[0]->started == std::vector<storage::rest_line::request>{one.what});
  CHECK(all.lines[1]->started == std::vector<storage::rest_line::request>{two.what});
  CHECK_FALSE(one.answer.arrived());
  all.finish(1);
  CHECK(two.answer.value());
  CHECK_FALSE(one.answer.arrived());
  all.finish(0);
  CHECK(one.answer.value());
}

TEST_CASE("a line serves the next of those who wait, in order; more are overloaded") {
  auto all = office{};
  auto busy = std::vector{all.ask(), all.ask()};
  auto third = all.ask();
  auto fourth = all.ask();
  auto fifth = all.ask();
  REQUIRE(fifth.answer.arrived());
  CHECK(fifth.answer.value().error().code == errc::overloaded);
  CHECK(all.lines.size() == line_count);
  all.finish(0);
  CHECK(all.lines[0]->started.back() == third.what);
  all.finish(0);
  CHECK(third.answer.value());
  CHECK(all.lines[0]->started.back() == fourth.what);
}

TEST_CASE("who waits for a line that is being opened takes no place in the queue") {
  auto all = office{};
  auto answers = std::vector<test::pending_answer<rest_reply>>{};
  for (auto i = std::size_t{0}; i < line_count + queue_limit + 1; ++i)
    answers.push_back(test::ask_later<rest_reply>(
        all.world, all.clerk_, perform{std::make_shared<const rest_request>()}));
  all.world.settle(); // all of them before the first line is there
  const auto refused =
      std::ranges::count_if(answers, [](const auto& one) { return one.arrived(); });
  CHECK(refused == 1);
}

TEST_CASE("a failure is its request's own") {
  auto all = office{};
  auto one = all.ask();
  auto two = all.ask();
  all.finish(0, fail(errc::conflict, "twice"));
  CHECK(one.answer.value().error().code == errc::conflict);
  CHECK_FALSE(two.answer.arrived());
  auto three = all.ask();
  CHECK(all.lines[0]->started.back() == three.what);
}

TEST_CASE("a bug in one request ends neither the others nor the clerk") {
  auto all = office{};
  auto one = all.ask();
  auto two = all.ask();
  all.finish(0);
  all.lines[0]->throws = true;
  auto three = all.ask();
  CHECK(three.answer.value().error().code == errc::internal);
  CHECK_FALSE(two.answer.arrived());
  all.finish(1);
  CHECK(two.answer.value());
}

TEST_CASE("a lost line fails its request, and the next request opens another") {
  auto all = office{};
  auto one = all.ask();
  all.lines[0]->lost = true;
  all.finish(0, fail(errc::unavailable, "lost"));
  CHECK(one.answer.value().error().code == errc::unavailable);
  CHECK(all.sockets->seats == 0);
  auto two = all.ask();
  REQUIRE(all.lines.size() == 2);
  CHECK(all.lines[1]->started.back() == two.what);
}

TEST_CASE("a line that ended while idle is replaced, and no request fails for it") {
  auto all = office{};
  auto one = all.ask();
  all.finish(0);
  all.lines[0]->gone = true;
  auto two = all.ask();
  REQUIRE(all.lines.size() == 2);
  CHECK(all.lines[1]->started.back() == two.what);
  CHECK(all.lines[0]->started.size() == 1);
}

TEST_CASE("what an earlier line of the place said is not heard") {
  auto all = office{};
  auto one = all.ask();
  all.finish(0);
  all.lines[0]->gone = true;
  auto two = all.ask();
  all.world.tell(all.clerk_, line_ready{0, 1});
  CHECK_FALSE(two.answer.arrived());
  all.lines[1]->next = rest_reply{};
  all.world.tell(all.clerk_, line_ready{0, 2});
  CHECK(two.answer.value());
}

TEST_CASE("without a database all who wait hear so") {
  auto all = office{};
  all.closed = true;
  auto one = all.ask();
  CHECK(one.answer.value().error().code == errc::unavailable);
  all.closed = false;
  auto two = all.ask();
  CHECK(all.lines.at(0)->started.back() == two.what);
}

TEST_CASE("who leaves ends the own statement and no other") {
  auto all = office{};
  auto one = all.ask();
  auto two = all.ask();
  all.world.tell(all.clerk_, forget{two.what});
  CHECK(all.lines[0]->stops == 0);
  CHECK(all.lines[1]->stops == 1);
  all.world.tell(all.clerk_, forget{two.what}); // its end may be on its way
  all.finish(1, fail(errc::timeout, "cancelled"));
  CHECK(two.answer.arrived());
  CHECK_FALSE(one.answer.arrived());
  auto three = all.ask();
  CHECK(all.lines[1]->started.back() == three.what);
}

TEST_CASE("who leaves while waiting is not carried out") {
  auto all = office{};
  auto busy = std::vector{all.ask(), all.ask()};
  auto third = all.ask();
  all.world.tell(all.clerk_, forget{third.what});
  CHECK(third.answer.value().error().code == errc::unavailable);
  all.finish(0);
  CHECK(all.lines[0]->started.size() == 1);
  CHECK(all.lines[0]->stops == 0);
}

TEST_CASE("a line that is silent for too long is given up") {
  auto all = office{};
  auto one = all.ask();
  all.world.advance(seconds{29});
  CHECK_FALSE(one.answer.arrived());
  all.world.advance(seconds{2});
  CHECK(one.answer.value().error().code == errc::timeout);
  CHECK(all.sockets->seats == 0);
  auto two = all.ask();
  CHECK(all.lines.size() == 2);
}

TEST_SUITE_END();
