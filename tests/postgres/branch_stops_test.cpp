// What new branches do to replies that are still being written, and to who deletes
// their messages at the same moment.
#include "tests/postgres/branches_world.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <thread>
#include <utility>

namespace jessica::storage {
namespace {

using test::admin;
using test::branches_world;
using test::number_of;

/// With replies that nobody has finished.
struct writing_world : branches_world {
  ~writing_world() { admin("delete from public.usage_limits"); }
  writing_world() = default;
  writing_world(const writing_world&) = delete;
  writing_world& operator=(const writing_world&) = delete;

  receipt ask(const std::string& text) {
    const auto what = turn{ada, room, false, text, {}, "{}"};
    auto stored = enqueue(engine, lease(), {&what, 1});
    REQUIRE(stored);
    REQUIRE_MESSAGE(stored->front(), stored->front().error().what);
    return *stored->front();
  }
  /// None: what is asked waits for a node.
  [[nodiscard]] lease_id lease() {
    if (!runs)
      return {};
    const auto joined = join_node(engine, "test", std::chrono::seconds{30});
    REQUIRE(joined);
    return *joined;
  }
  receipt changed(const branch_wish& what) {
    const auto made = change(what);
    REQUIRE_MESSAGE(made, made.error().what);
    return *made;
  }
  /// "<status>", and of a job that a node has to stop "<status> stopping".
  [[nodiscard]] std::string state_of(const receipt& what) const {
    return of(what.reply, "status") +
           test::text_of("select case when cancel_requested and finished_at is null "
                         "then ' stopping' else '' end "
                         "from public.inference_jobs where id = $1",
                         {std::to_string(what.job.value)});
  }

  bool runs = false; ///< jobs are born on a node
};

/// A transaction that holds a message's row, as a deletion does from its beginning,
/// until somebody waits for it; and then deletes.
struct slow_deletion {
  slow_deletion(message_id held, std::vector<std::string> gone)
      : worker([this, held, gone = std::move(gone)] {
          auto db = connection{test::database(), role::migrations};
          const auto ids = std::vector<parameter>(gone.begin(), gone.end());
          outcome = db.run(std::array{
              statement{"select from public.messages where id = $1 for update",
                        {held.str()}},
              statement{"do $wait$ begin while not exists (select from pg_locks l "
                        "where not l.granted and "
                        "pg_blocking_pids(l.pid) @> array[pg_backend_pid()]) "
                        "loop perform pg_sleep(0.002); end loop; end $wait$",
                        {}},
              statement{"delete from public.messages where id = any ($1)",
                        {array_literal(ids)}}});
        }) {
    while (number_of("select count(*) from pg_stat_activity "
                     "where query like 'do $wait$%'") == 0)
      admin("select pg_sleep(0.002)");
  }

  result<std::vector<rows>> outcome = fail(errc::timeout, "it did not end");
  std::jthread worker;
};

} // namespace

TEST_SUITE("storage.branch_stops") {
  TEST_CASE_FIXTURE(writing_world, "an edit stops what is written behind the message") {
    SUBCASE("on a node") {
      runs = true;
    }
    SUBCASE("or waiting for one") {}
    const auto stopped = std::string{runs ? "pending stopping" : "cancelled"};
    const auto before = ask("zero");
    const auto one = ask("one");
    const auto two = ask("two");
    const auto other = changed(edit_wish{one.message, "eins", {}, "{}"});
    CHECK(state_of(before) == "pending"); // it is part of the new branch
    CHECK(state_of(one) == stopped);
    CHECK(state_of(two) == stopped);
    CHECK(state_of(other) == "pending");
    // An edit of the same message again: the second version is given up, too.
    const auto third = changed(edit_wish{one.message, "uno", {}, "{}"});
    CHECK(state_of(other) == "cancelled");
    CHECK(state_of(third) == "pending");
    CHECK(state_of(before) == "pending");
  }

  TEST_CASE_FIXTURE(writing_world, "an edit that is repeated stops nothing") {
    const auto one = ask("one");
    const auto wish = edit_wish{one.message, "eins", "c", "{}"};
    const auto other = changed(wish);
    CHECK(state_of(one) == "cancelled");
    CHECK(changed(wish).reply == other.reply);
    CHECK(state_of(other) == "pending");
  }

  TEST_CASE_FIXTURE(writing_world,
                    "another reply stops the one that is being written") {
    SUBCASE("on a node") {
      runs = true;
    }
    SUBCASE("or waiting for one") {}
    const auto stopped = std::string{runs ? "pending stopping" : "cancelled"};
    const auto before = ask("zero");
    const auto one = ask("one");
    const auto other = changed(regenerate_wish{one.reply, {}});
    CHECK(state_of(before) == "pending");
    CHECK(state_of(one) == stopped);
    CHECK(state_of(other) == "pending");
    const auto third = changed(regenerate_wish{other.reply, {}});
    CHECK(state_of(other) == "cancelled");
    CHECK(state_of(third) == "pending");
  }

  TEST_CASE_FIXTURE(writing_world, "what has ended stays as it is") {
    const auto one = say("one");
    admin("update public.inference_jobs set status = 'done' where id = $1",
          {std::to_string(one.job.value)});
    changed(regenerate_wish{one.reply, {}});
    CHECK(of(one.reply, "status || ' ' || content") == "complete re: one");
  }

  TEST_CASE_FIXTURE(writing_world, "a refused reply stops nothing") {
    const auto one = ask("one");
    admin(
        "insert into public.usage_limits (user_id, replies_per_minute) values ($1, 1)",
        {ada.str()});
    const auto two = changed(regenerate_wish{one.reply, {}});
    CHECK_FALSE(change(regenerate_wish{one.reply, {}}));
    CHECK(state_of(two) == "pending");
  }

  TEST_CASE_FIXTURE(writing_world,
                    "a new branch gives way to who deletes its message") {
    SUBCASE("which waits for the user's quota") {
      admin("insert into public.usage_limits (user_id, replies_per_day) values ($1, 9)",
            {ada.str()});
      const auto one = ask("one");
      answer(one.reply, "re: one"); // its job still holds some
      auto other = slow_deletion{one.message, {one.message.str()}};
      CHECK(refusal(regenerate_wish{one.reply, {}}) == "overloaded conversation_busy");
      other.worker.join();
      CHECK_MESSAGE(other.outcome, other.outcome.error().what);
      CHECK(refusal(regenerate_wish{one.reply, {}}) == "not_found reply_not_found");
    }
    SUBCASE("which waits for the conversation") {
      const auto one = say("one");
      const auto two = edit(one.message, "eins");
      edit(one.message, "uno");
      select(two.message);
      auto other = slow_deletion{two.message, {two.message.str(), two.reply.str()}};
      CHECK(refusal(regenerate_wish{two.reply, {}}) == "overloaded conversation_busy");
      other.worker.join();
      CHECK_MESSAGE(other.outcome, other.outcome.error().what);
    }
    SUBCASE("and goes on") {
      const auto one = say("one");
      const auto two = edit(one.message, "eins");
      edit(one.message, "uno");
      select(two.message);
      auto other = slow_deletion{two.message, {two.message.str(), two.reply.str()}};
      CHECK(refusal(continue_wish{two.reply, {}}) == "overloaded conversation_busy");
      other.worker.join();
      CHECK_MESSAGE(other.outcome, other.outcome.error().what);
    }
  }
}

} // namespace jessica::storage
