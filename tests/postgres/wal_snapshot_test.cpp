#include "tests/postgres/feed_world.hpp"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace jessica;
using namespace jessica::test;
using storage::change_kind;
using storage::statement;

storage::connection superuser() {
  return storage::connection{database(), storage::role::migrations};
}

// Inserts and deletes rows of its own, each round one transaction, until told to stop.
class writer {
public:
  writer() : thread_{[this](const std::stop_token& stop) { write(stop); }} {}
  void wait_for(int rounds) const {
    for (auto done = rounds_.load(); done < rounds; done = rounds_.load()) {
      rounds_.wait(done);
    }
  }
  int rounds() const { return rounds_.load(); }
  void stop() {
    thread_.request_stop();
    thread_.join();
  }
  bool failed() const { return failed_.load(); }

private:
  void write(const std::stop_token& stop) {
    auto db = superuser();
    auto mine = std::vector<std::string>{};
    while (!stop.stop_requested()) {
      auto round = std::vector<statement>{
          {"insert into public.feed_case (body) values ('a'), ('b'), ('c') "
           "returning id",
           {}}};
      for (auto i = 0; i < 2 && mine.size() > 20; ++i) {
        round.push_back({"delete from public.feed_case where id = $1", {mine[7]}});
        mine.erase(mine.begin() + 7);
      }
      const auto got = db.run(round);
      if (!got) {
        failed_ = true;
      } else {
        for (auto i = 0; i < got->front().size(); ++i) {
          mine.emplace_back(got->front().text(i, 0));
        }
      }
      ++rounds_;
      rounds_.notify_all();
    }
  }

  std::atomic<int> rounds_ = 0;
  std::atomic<bool> failed_ = false;
  std::jthread thread_;
};

std::set<std::string> ids_in(const storage::rows& rows) {
  auto ids = std::set<std::string>{};
  for (auto i = 0; i < rows.size(); ++i) {
    ids.emplace(rows.text(i, 0));
  }
  return ids;
}

} // namespace

TEST_SUITE("storage.wal_snapshot") {
  TEST_CASE(
      "a snapshot and the stream after it are the table, none missing, none twice") {
    const auto table = fed_table{"id bigint generated always as identity primary key, "
                                 "body text"};
    auto writers = std::array<writer, 2>{};
    for (const auto& one : writers) {
      one.wait_for(30);
    }
    auto stream = must_open();
    for (const auto& one : writers) {
      one.wait_for(one.rounds() + 30); // these rows are in the stream, not the snapshot
    }
    auto db = superuser();
    const auto read = std::array{statement{"select id from public.feed_case", {}}};
    const auto seen = run_in_snapshot(db, stream.snapshot(), read);
    REQUIRE_MESSAGE(seen, why(seen));
    auto mirror = ids_in(seen->front());
    CHECK(mirror.size() > 60);
    for (const auto& one : writers) {
      one.wait_for(one.rounds() + 30);
    }
    REQUIRE(stream.start());
    for (auto& one : writers) {
      one.wait_for(one.rounds() + 100);
      one.stop();
      REQUIRE_FALSE(one.failed());
    }
    auto inserted = 0;
    auto removed = 0;
    auto wrong = 0;
    for (const auto& row : read_rows(stream)) {
      if (row.kind() == change_kind::insert) {
        ++inserted;
        wrong += mirror.insert(of(row, "id")).second ? 0 : 1; // twice
      } else {
        ++removed;
        wrong += mirror.erase(old_of(row, "id")) == 1 ? 0 : 1; // of a row never seen
      }
    }
    CHECK(wrong == 0);
    CHECK(inserted >= 2 * 3 * 160);
    CHECK(removed > 0);
    CHECK(mirror == ids_in(admin("select id from public.feed_case")));
  }

  TEST_CASE(
      "a snapshot shows the database as it was, and dies when the stream starts") {
    const auto table = fed_table{"id int primary key"};
    admin("insert into public.feed_case values (1)");
    auto stream = must_open();
    admin("insert into public.feed_case values (2)");
    auto db = superuser();
    const auto read = std::array{
        statement{"select id from public.feed_case", {}},
        statement{"select current_setting('transaction_read_only'), $1::text", {"x"}}};
    const auto seen = run_in_snapshot(db, stream.snapshot(), read);
    REQUIRE_MESSAGE(seen, why(seen));
    REQUIRE(seen->size() == 2);
    CHECK(ids_in(seen->front()) == std::set<std::string>{"1"});
    CHECK(seen->back().text(0, 0) == "on");
    CHECK(seen->back().text(0, 1) == "x");
    // The connection is as before: it sees what is there now.
    const auto now = db.run(statement{"select count(*) from public.feed_case", {}});
    REQUIRE_MESSAGE(now, why(now));
    CHECK(now->integer(0, 0) == 2);

    REQUIRE(stream.start());
    const auto dead = run_in_snapshot(db, stream.snapshot(), read);
    REQUIRE_FALSE(dead);
    CHECK(dead.error().code == errc::invalid_input);
    CHECK(read_rows(stream).size() == 1);
  }

  TEST_CASE("only the name of a snapshot reaches the server") {
    auto db = storage::connection{{.conninfo = "host=/nonexistent"}, "x"};
    for (const auto* name : {"", "0-1'; drop table x; --", "0000000A 1"}) {
      const auto refused = run_in_snapshot(db, name, {});
      REQUIRE_FALSE(refused);
      CHECK(refused.error().code == errc::invalid_input);
    }
  }
}
