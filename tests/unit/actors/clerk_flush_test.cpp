#include "tests/unit/actors/clerk_office.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <utility>
#include <vector>

TEST_SUITE_BEGIN("actors.clerk_flush");

namespace {

using namespace jessica;
using namespace jessica::actors;
using std::chrono::seconds;
using storage::commits;

constexpr auto line_count = std::size_t{3};
constexpr auto flush_place = line_count;

/// A CLERK of writes whose lines are answered by the test. The second request that
/// comes opens the flush line, which is opened after the request's own.
struct office : test::clerk_office {
  test::line_script* flush = nullptr;

  office() : clerk_office(line_count, 10, true) {}

  using answer = test::pending_answer<rest_reply>;
  [[nodiscard]] answer ask(rest_action action = rest_action::insert,
                           bool undo = false) {
    auto what = std::make_shared<rest_request>();
    what->action = action;
    what->prefer.undo = undo;
    auto asked = test::ask_later<rest_reply>(world, clerk_, perform{std::move(what)});
    world.settle();
    return asked;
  }
  /// Two requests that are over: all lines that the tests use are open.
  void warm_up() {
    auto first = ask();
    auto second = ask();
    REQUIRE(lines.size() == 3);
    flush = lines[2].get();
    finish(0);
    finish(1);
    CHECK(first.value());
    CHECK(second.value());
    CHECK(flush->settled == 0);
  }
  void flushed(storage::rest_line::outcome with = rest_reply{}) {
    flush->next = std::move(with);
    world.tell(clerk_, line_ready{flush_place, 1});
  }
};

} // namespace

TEST_CASE("a write without company waits for the disk by itself") {
  auto all = office{};
  all.warm_up();
  auto alone = all.ask();
  CHECK(all.lines[0]->commits.back() == commits::durable);
  all.finish(0);
  CHECK(alone.value());
  CHECK(all.flush->settled == 0);
}

TEST_CASE("writes in company are answered once the disk has them, and free their lines "
          "before") {
  auto all = office{};
  all.warm_up();
  auto one = all.ask();
  auto two = all.ask();
  CHECK(all.lines[1]->commits.back() == commits::lazy);
  all.finish(1);
  CHECK_FALSE(two.arrived());
  CHECK(all.flush->settled == 1);
  auto three = all.ask(); // on the line that is free
  CHECK(all.lines[1]->started.size() == 3);
  CHECK(all.lines[1]->commits.back() == commits::lazy);
  all.flushed();
  CHECK(two.value());
  CHECK_FALSE(one.arrived());
  CHECK_FALSE(three.arrived());
}

TEST_CASE(
    "what is committed during a flush waits for the next one, all of it together") {
  auto all = office{};
  all.warm_up();
  auto one = all.ask();
  auto two = all.ask();
  all.finish(1);
  auto three = all.ask();
  all.finish(1);
  auto four = all.ask();
  all.finish(1);
  CHECK(all.flush->settled == 1);
  all.flushed();
  CHECK(two.value());
  CHECK_FALSE(three.arrived());
  CHECK(all.flush->settled == 2);
  all.flushed();
  CHECK(three.value());
  CHECK(four.value());
  CHECK(all.flush->settled == 2);
}

TEST_CASE("a write that fails is answered at once") {
  auto all = office{};
  all.warm_up();
  auto one = all.ask();
  auto two = all.ask();
  all.finish(1, fail(errc::conflict, "twice"));
  CHECK(two.value().error().code == errc::conflict);
  CHECK(all.flush->settled == 0);
}

TEST_CASE("reads, calls and trials never wait for others") {
  auto all = office{};
  all.warm_up();
  auto one = all.ask();
  for (const auto action : {rest_action::read, rest_action::call}) {
    auto other = all.ask(action);
    CHECK(all.lines[1]->commits.back() == commits::durable);
    all.finish(1);
    CHECK(other.value());
  }
  auto trial = all.ask(rest_action::insert, true);
  CHECK(all.lines[1]->commits.back() == commits::durable);
  all.finish(1);
  CHECK(trial.value());
}

TEST_CASE("when the flush fails nobody is told that something is stored") {
  auto all = office{};
  all.warm_up();
  auto one = all.ask();
  auto two = all.ask();
  all.finish(1);
  auto three = all.ask();
  all.finish(1);
  auto under_way = all.ask(); // committed later, perhaps before the loss
  all.flush->lost = true;
  all.flushed(fail(errc::unavailable, "lost"));
  CHECK(two.value().error().code == errc::unavailable);
  CHECK(three.value().error().code == errc::unavailable);
  CHECK_FALSE(under_way.arrived());
  all.finish(1);
  CHECK(under_way.value().error().code == errc::unavailable);
  all.finish(0);
  CHECK(one.value());
}

TEST_CASE("a lost flush line is opened again for those who come later") {
  auto all = office{};
  all.warm_up();
  all.flush->gone = true;
  auto one = all.ask();
  auto two = all.ask();
  CHECK(all.lines[1]->commits.back() == commits::durable);
  REQUIRE(all.lines.size() == 4);
  all.finish(1);
  CHECK(two.value());
  auto three = all.ask();
  CHECK(all.lines[1]->commits.back() == commits::lazy);
  all.finish(1);
  CHECK_FALSE(three.arrived());
  all.lines[3]->next = rest_reply{};
  all.world.tell(all.clerk_, line_ready{flush_place, 2});
  CHECK(three.value());
}

TEST_CASE("without a flush line writes wait for the disk by themselves") {
  auto all = office{};
  all.warm_up();
  all.flush->gone = true;
  all.closed = true;
  auto one = all.ask();
  for (auto i = 0; i < 2; ++i) {
    auto two = all.ask();
    CHECK(all.lines[1]->commits.back() == commits::durable);
    all.finish(1);
    CHECK(two.value());
  }
}

TEST_CASE("a flush that is silent for too long is given up") {
  auto all = office{};
  all.warm_up();
  auto one = all.ask();
  auto two = all.ask();
  all.finish(1);
  all.finish(0);
  CHECK(one.value());
  all.world.advance(seconds{29});
  CHECK_FALSE(two.arrived());
  all.world.advance(seconds{2});
  CHECK(two.value().error().code == errc::unavailable);
  CHECK(all.sockets->seats == 2);
}

TEST_SUITE_END();
