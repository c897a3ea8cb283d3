#include "storage/cluster.hpp"
#include "tests/postgres/feed_world.hpp"

#include <doctest/doctest.h>
#include <signal.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace jessica;
using namespace jessica::test;
using namespace std::chrono_literals;
using storage::wal_stream;

std::int64_t sender_of(const wal_stream& stream) {
  return number_of("select active_pid from pg_replication_slots where slot_name = $1",
                   {stream.slot()});
}

} // namespace

TEST_SUITE("storage.wal_connection") {
  TEST_CASE("a slot waits for whoever is writing, and gives up in time") {
    const auto open = storage::open_session(database(), storage::role::migrations);
    REQUIRE(open);
    REQUIRE(storage::execute(open->get(), "begin"));
    REQUIRE(storage::execute(open->get(), "select pg_current_xact_id()"));
    auto options = quick_feed();
    options.slot_timeout = 100ms;
    options.node = "impatient";
    const auto refused = wal_stream::open(database(), options);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::timeout);
    // The server has forgotten it although the writer is still there.
    CHECK(becomes_true("select not exists (select from pg_replication_slots where "
                       "slot_name like 'jessica\\_impatient\\_%')"));
    CHECK(becomes_true("select not exists (select from pg_stat_activity where "
                       "application_name = 'jessica_feed')"));
    REQUIRE(storage::execute(open->get(), "commit"));
    CHECK(wal_stream::open(database(), quick_feed()));
  }

  TEST_CASE("the slot is named after the node, temporary, and gone with the object") {
    auto name = std::string{};
    {
      const auto stream = must_start();
      name = stream.slot();
      CHECK(name.starts_with("jessica_test_node_1_"));
      CHECK(text_of("select temporary and active and plugin = 'pgoutput' from "
                    "pg_replication_slots where slot_name = $1",
                    {name}) == "t");
    }
    CHECK(becomes_true("select not exists (select from pg_replication_slots where "
                       "slot_name = $1)",
                       {name}));
  }

  TEST_CASE("two nodes of one name have two slots") {
    const auto first = must_open();
    const auto second = must_open();
    CHECK(first.slot() != second.slot());
  }

  TEST_CASE("a stream whose connection is cut says so, and a fresh one works") {
    const auto table = fed_table{"id int primary key"};
    auto stream = must_start();
    admin("select pg_terminate_backend($1::int, 10000)",
          {std::to_string(sender_of(stream))});
    auto got = stream.next(30s);
    REQUIRE_FALSE(got);
    CHECK(got.error().code == errc::unavailable);
    got = stream.next(30s);
    REQUIRE_FALSE(got);
    CHECK(got.error().code == errc::unavailable);
    CHECK_FALSE(stream.keep_alive());
    CHECK_FALSE(stream.start());

    stream = must_start();
    admin("insert into public.feed_case values (1)");
    CHECK(read_rows(stream).size() == 1);
  }

  TEST_CASE("a server that stopped answering is noticed") {
    auto where = database();
    where.conninfo += " options='-c wal_sender_timeout=400ms'";
    auto stream = must_open(quick_feed(), where);
    REQUIRE(stream.start());
    const auto sender = static_cast<pid_t>(sender_of(stream));
    REQUIRE(::kill(sender, SIGSTOP) == 0);
    const auto got = stream.next(30s);
    CHECK(::kill(sender, SIGCONT) == 0);
    REQUIRE_FALSE(got);
    CHECK(got.error().code == errc::unavailable);
    CHECK(got.error().what.contains("silent"));
  }

  TEST_CASE("a server that shuts down does not have to wait for us") {
    const auto home = temp_directory{};
    auto server = storage::cluster::open(quick_cluster(home.path() / "pg"));
    REQUIRE_MESSAGE(server, why(server));
    prepare(server->where(), "create role jessica_wal login replication;"
                             "create publication supabase_realtime;"
                             "create publication jessica_engine;"
                             "create publication jessica_broadcasts");
    auto where = server->where();
    where.conninfo += " options='-c wal_sender_timeout=0'";
    auto options = quick_feed();
    options.status_interval =
        1h; // so only an answer to the server's question is in time
    auto stream = must_open(options, where);
    REQUIRE(stream.start());
    prepare(server->where(), "create table t as select 1");
    auto ended = std::optional<errc>{};
    {
      const auto reader = std::jthread{[&] {
        for (auto i = 0; i < 10 && !ended; ++i) {
          const auto got = stream.next(1s);
          ended = got ? std::nullopt : std::optional{got.error().code};
        }
      }};
      CHECK(server->stop());
    }
    CHECK(ended == errc::unavailable);
  }

  TEST_CASE("an idle stream outlives the server's patience") {
    auto where = database();
    where.conninfo += " options='-c wal_sender_timeout=100ms'";
    auto options = quick_feed();
    options.status_interval = 1h; // the server's patience counts more
    auto stream = must_open(options, where);
    REQUIRE(stream.start());
    const auto got = stream.next(1s);
    REQUIRE_MESSAGE(got, why(got));
    CHECK_FALSE(*got);
  }

  TEST_CASE("a reader that is held up keeps its connection without reading") {
    const auto table = fed_table{"id int primary key"};
    auto options = quick_feed();
    options.status_interval = 1ms;
    auto stream = must_start(options);
    admin("insert into public.feed_case values (1)");
    const auto last_heard = [sender = std::to_string(sender_of(stream))] {
      return text_of("select coalesce(reply_time, '-infinity') from "
                     "pg_stat_replication where pid = $1",
                     {sender});
    };
    for (auto times = 0; times < 2; ++times) {
      const auto before = last_heard();
      for (auto i = 0; i < 10'000 && last_heard() == before; ++i) {
        REQUIRE(stream.keep_alive());
      }
      CHECK(last_heard() != before);
    }
    CHECK(read_rows(stream).size() == 1); // nothing was lost meanwhile
  }

  TEST_CASE("an idle stream does not hold the log of tables that nobody published") {
    auto stream = must_start();
    const auto begin = stream.position();
    admin("create table public.feed_unpublished (x text)");
    admin("insert into public.feed_unpublished select repeat('x', 1000) from "
          "generate_series(1, 1000)");
    const auto end = text_of("select pg_current_wal_flush_lsn()");
    auto confirmed = false;
    for (auto i = 0; i < 1000 && !confirmed; ++i) {
      const auto got = stream.next(20ms);
      REQUIRE_MESSAGE(got, why(got));
      confirmed = text_of("select confirmed_flush_lsn >= $2::pg_lsn from "
                          "pg_replication_slots where slot_name = $1",
                          {stream.slot(), end}) == "t";
    }
    CHECK(confirmed);
    CHECK(stream.position() >= *lsn::parse(end));
    CHECK(stream.position().value > begin.value + 1'000'000);
    CHECK(stream.lag() == 0);
    admin("drop table public.feed_unpublished");
  }

  TEST_CASE("a role that may not replicate is forbidden to") {
    auto where = database();
    where.conninfo += " user=authenticator";
    where.switch_role = true; // as the connection string says
    const auto refused = wal_stream::open(where, quick_feed());
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::forbidden);
    CHECK(refused.error().what.contains("42501"));
  }

  TEST_CASE("a foreign server's login reads the feed as itself") {
    auto where = database();
    where.conninfo += " user=postgres";
    where.switch_role = true;
    auto stream = must_open(quick_feed(), where);
    CHECK(text_of("select usename from pg_stat_activity where pid = $1",
                  {std::to_string(sender_of(stream))}) == "postgres");
    REQUIRE(stream.start());
    CHECK(read_all(stream).empty());
  }

  TEST_CASE("a server whose senders are all taken is overloaded") {
    auto taken = std::vector<wal_stream>{};
    auto refused = std::optional<error>{};
    for (auto i = 0; i < 20 && !refused; ++i) {
      auto made = wal_stream::open(database(), quick_feed());
      if (made) {
        taken.push_back(std::move(*made));
      } else {
        refused = made.error();
      }
    }
    REQUIRE(refused);
    CHECK(refused->code == errc::overloaded);
    CHECK(taken.size() > 2);
    taken.clear();
    CHECK(becomes_true("select not exists (select from pg_stat_activity where "
                       "application_name = 'jessica_feed')"));
  }

  TEST_CASE("a server that is not there is unavailable, a broken string is invalid") {
    auto gone = wal_stream::open({.conninfo = "host=/nonexistent"}, quick_feed());
    REQUIRE_FALSE(gone);
    CHECK(gone.error().code == errc::unavailable);
    gone = wal_stream::open({.conninfo = "password=secret nonsense"}, quick_feed());
    REQUIRE_FALSE(gone);
    CHECK(gone.error().code == errc::invalid_input);
    CHECK_FALSE(gone.error().what.contains("secret"));
  }
}
