#include "actors/catalog.hpp"
#include "actors/clerk.hpp"
#include "actors/porter.hpp"
#include "tests/fixtures/actor_world.hpp"
#include "tests/fixtures/scripted_line.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

TEST_SUITE_BEGIN("actors.rest");

namespace {

using namespace jessica;
using namespace jessica::actors;
using std::chrono::milliseconds;

/// A database whose schema is as often read as anybody asks.
struct shop {
  int reads = 0;
  bool down = false;
  std::shared_ptr<test::line_script> line = std::make_shared<test::line_script>();
  std::shared_ptr<test::silent_watch> sockets = std::make_shared<test::silent_watch>();
  std::shared_ptr<std::vector<clerk_actor>> followers =
      std::make_shared<std::vector<clerk_actor>>();
  test::actor_world world; // last: ends first
  catalog_actor catalog_ = start_catalog();
  porter_actor porter_ = world.own(world.sys().spawn(
      porter, make_line{[this]() -> result<std::shared_ptr<storage::rest_line>> {
        return std::make_shared<test::scripted_line>(line);
      }}));

  shop() { line->at_start = rest_reply{}; }

  catalog_actor start_catalog() {
    return world.own(world.sys().spawn(
        catalog,
        catalog_deps{[this](std::uint64_t version) -> result<storage::schema_snapshot> {
                       ++reads;
                       if (down)
                         return fail(errc::unavailable, "down");
                       auto made = std::make_shared<storage::rest_schema>();
                       made->version = version;
                       return made;
                     },
                     followers}));
  }
  clerk_actor start_clerk() {
    auto made = world.own(world.sys().spawn(
        clerk, clerk_deps{"REST", porter_, catalog_, sockets, 1, 10}));
    world.settle();
    return made;
  }
  [[nodiscard]] result<rest_reply> work(const clerk_actor& whom) {
    return world.ask<rest_reply>(whom, perform{std::make_shared<rest_request>()});
  }
  void miss() {
    line->at_start = std::unexpected{
        error{errc::not_found, "no such table", "PGRST205",
              std::make_shared<const sql_fault>(sql_fault{"PGRST205", "", "", ""})}};
  }
};

} // namespace

TEST_CASE("the schema is read once for all clerks, before their first request") {
  auto all = shop{};
  const auto one = all.start_clerk();
  const auto two = all.start_clerk();
  CHECK(all.work(one));
  CHECK(all.work(two));
  CHECK(all.reads == 1);
  CHECK(all.line->versions == std::vector<std::uint64_t>{1, 1});
}

TEST_CASE(
    "a change reaches every clerk; a migration's many changes are read together") {
  auto all = shop{};
  const auto one = all.start_clerk();
  const auto two = all.start_clerk();
  all.world.advance(milliseconds{1000});
  for (auto i = 0; i < 10; ++i)
    all.world.tell(all.catalog_, schema_changed{});
  all.world.advance(milliseconds{1000});
  CHECK(all.reads == 3); // the first, the change at once, the rest
  CHECK(all.work(one));
  CHECK(all.work(two));
  CHECK(all.line->versions == std::vector<std::uint64_t>{3, 3});
}

TEST_CASE("what was not found makes the catalog look again, but not all the time") {
  auto all = shop{};
  const auto one = all.start_clerk();
  all.miss();
  CHECK_FALSE(all.work(one));
  CHECK(all.reads == 1); // it was read a moment ago
  all.world.advance(milliseconds{3000});
  CHECK_FALSE(all.work(one));
  CHECK(all.reads == 2);
  CHECK_FALSE(all.work(one));
  CHECK(all.reads == 2);
}

TEST_CASE("without a schema a request can be repeated later, and then works") {
  auto all = shop{};
  all.down = true;
  const auto one = all.start_clerk();
  const auto refused = all.work(one);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::unavailable);
  CHECK(refused.error().reason == "PGRST002");
  all.down = false;
  all.world.advance(milliseconds{1000});
  CHECK(all.work(one));
}

TEST_CASE("a schema that cannot be read again stays what it was") {
  auto all = shop{};
  const auto one = all.start_clerk();
  all.down = true;
  all.world.advance(milliseconds{1000});
  all.world.tell(all.catalog_, schema_changed{});
  CHECK(all.work(one));
  CHECK(all.line->versions == std::vector<std::uint64_t>{1});
  all.down = false;
  all.world.advance(milliseconds{1000});
  CHECK(all.work(one));
  CHECK(all.line->versions.back() == 2);
}

TEST_CASE("a catalog that takes over knows the clerks of the one before") {
  auto all = shop{};
  const auto one = all.start_clerk();
  caf::anon_send_exit(all.catalog_, caf::exit_reason::kill);
  all.world.settle();
  all.catalog_ = all.start_catalog();
  all.world.settle();
  CHECK(all.reads == 2);
  all.world.advance(milliseconds{1000});
  all.world.tell(all.catalog_, schema_changed{});
  CHECK(all.work(one));
  CHECK(all.line->versions.back() == 2);
}

TEST_CASE("a clerk that ended is forgotten") {
  auto all = shop{};
  const auto one = all.start_clerk();
  CHECK(all.followers->size() == 1);
  caf::anon_send_exit(one, caf::exit_reason::kill);
  all.world.settle();
  CHECK(all.followers->empty());
}

TEST_SUITE_END();
