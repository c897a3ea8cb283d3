#include "storage/cluster.hpp"
#include "storage/wal_stream.hpp"
#include "tests/postgres/feed_world.hpp"

#include <doctest/doctest.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <format>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

namespace {

using namespace jessica;
using namespace jessica::test;
using namespace std::chrono_literals;
using storage::change_kind;
using storage::field_state;
using storage::old_row;
using storage::row_change;
using storage::statement;
using storage::wal_message;
using storage::wal_stream;

storage::connection superuser() {
  return storage::connection{database(), storage::role::migrations};
}

std::string why(const auto& got) {
  return got ? "it succeeded"
             : std::format("{}: {}", name(got.error().code), got.error().what);
}

std::string of(const row_change& row, std::string_view column) {
  return std::string{row.row().text(column).value_or("<none>")};
}

std::string old_of(const row_change& row, std::string_view column) {
  return std::string{row.old().text(column).value_or("<none>")};
}

std::int64_t sender_of(const wal_stream& stream) {
  return number_of("select active_pid from pg_replication_slots where slot_name = $1",
                   {stream.slot()});
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

TEST_SUITE("storage.wal_stream") {
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

  TEST_CASE("transactions come in the order of their commits, each whole") {
    const auto table = fed_table{"id int primary key"};
    auto stream = must_start();
    // The first to begin and to write is the last to commit.
    const auto early = storage::open_session(database(), storage::role::migrations);
    REQUIRE(early);
    REQUIRE(storage::execute(early->get(), "begin"));
    REQUIRE(storage::execute(early->get(), "insert into public.feed_case values (1)"));
    admin("insert into public.feed_case values (2), (3)");
    REQUIRE(storage::execute(early->get(), "insert into public.feed_case values (4)"));
    REQUIRE(storage::execute(early->get(), "commit"));
    const auto pieces = read_all(stream);
    REQUIRE(pieces.size() == 2);
    auto ids = std::string{};
    for (const auto& piece : pieces) {
      CHECK(piece.last);
      for (const auto& event : piece.events) {
        ids += of(std::get<row_change>(event), "id");
      }
      ids += ';';
    }
    CHECK(ids == "23;14;");
    CHECK(pieces[0].commit < pieces[1].commit);
    CHECK(pieces[0].committed <= pieces[1].committed);
    CHECK(stream.last_commit() >= pieces[1].committed);
    CHECK(stream.position() > pieces[1].commit);
  }

  TEST_CASE("the time of a commit is the server's") {
    const auto table = fed_table{"id int primary key"};
    auto stream = must_start();
    admin("insert into public.feed_case values (1)");
    const auto pieces = read_all(stream);
    REQUIRE(pieces.size() == 1);
    const auto micros = pieces[0].committed.time_since_epoch().count();
    CHECK(text_of("select now() - 'epoch'::timestamptz - make_interval(secs => "
                  "$1::bigint / 1e6) between '-1 s' and '1 min'",
                  {std::to_string(micros)}) == "t");
  }

  TEST_CASE("messages stand between the rows where they were written") {
    const auto table = fed_table{"id int primary key"};
    auto stream = must_start();
    prepare(database(), "begin;"
                        "insert into public.feed_case values (1);"
                        "select pg_logical_emit_message(true, 'wake', 'jobs');"
                        "insert into public.feed_case values (2);"
                        "commit");
    const auto pieces = read_all(stream);
    REQUIRE(pieces.size() == 1);
    REQUIRE(pieces[0].events.size() == 3);
    CHECK(of(std::get<row_change>(pieces[0].events[0]), "id") == "1");
    const auto& told = std::get<wal_message>(pieces[0].events[1]);
    CHECK(told.prefix == "wake");
    CHECK(told.content == "jobs");
    CHECK(told.transactional);
    CHECK(of(std::get<row_change>(pieces[0].events[2]), "id") == "2");
  }

  TEST_CASE(
      "a message outside its transaction comes at once, even of one rolled back") {
    auto stream = must_start();
    prepare(database(),
            "begin;"
            "select pg_logical_emit_message(false, 'alone', '\\x00ff'::bytea);"
            "select pg_logical_emit_message(true, 'lost', '');"
            "rollback");
    const auto pieces = read_all(stream);
    REQUIRE(pieces.size() == 1);
    CHECK(pieces[0].last);
    CHECK(pieces[0].commit > lsn{});
    REQUIRE(pieces[0].events.size() == 1);
    const auto& told = std::get<wal_message>(pieces[0].events[0]);
    CHECK(told.prefix == "alone");
    CHECK(told.content == std::string{"\0\xff", 2});
    CHECK_FALSE(told.transactional);
  }

  TEST_CASE("a big value that an update did not touch is unchanged, not null") {
    const auto table = fed_table{"id int primary key, body text, note text"};
    admin("alter table public.feed_case alter column body set storage external");
    admin("insert into public.feed_case values (1, repeat('x', 12000))");
    auto stream = must_start();
    admin("update public.feed_case set note = 'read'");
    admin("update public.feed_case set note = null");
    const auto rows = read_rows(stream);
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].kind() == change_kind::update);
    CHECK(rows[0].old_known() == old_row::none);
    CHECK(rows[0].row().at("body").state == field_state::unchanged);
    CHECK_FALSE(rows[0].row().text("body"));
    CHECK(of(rows[0], "note") == "read");
    CHECK(rows[1].row().at("note").state == field_state::null);
  }

  TEST_CASE("with a full old row an unchanged value is taken from there") {
    const auto table = fed_table{"id int primary key, body text, note text"};
    prepare(database(),
            "alter table public.feed_case alter column body set storage external;"
            "alter table public.feed_case replica identity full;"
            "insert into public.feed_case values (1, repeat('x', 12000), 'new')");
    auto stream = must_start();
    admin("update public.feed_case set note = 'read'");
    const auto rows = read_rows(stream);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].old_known() == old_row::full);
    CHECK(of(rows[0], "body") == std::string(12000, 'x'));
    CHECK(of(rows[0], "note") == "read");
    CHECK(old_of(rows[0], "note") == "new");
    CHECK(rows[0].table()->identity == storage::replica_identity::full);
  }

  TEST_CASE("a transaction of 100,000 rows comes in bounded pieces") {
    const auto table = fed_table{"id int primary key, body text"};
    auto options = quick_feed();
    options.piece_events = 700;
    options.piece_bytes = 200'000;
    auto stream = must_start(options);
    // Small rows fill a piece by their number, the big ones at the end by their size.
    admin("insert into public.feed_case select n, case when n > 99000 then "
          "repeat('x', 2000) end from generate_series(1, 100000) n");
    auto rows = 0;
    auto pieces = 0;
    auto full_by_count = 0;
    auto full_by_size = 0;
    auto commit = lsn{};
    auto confirmed = lsn{};
    for (auto last = false; !last;) {
      const auto piece = next_piece(stream);
      auto bytes = std::size_t{0};
      for (const auto& event : piece.events) {
        const auto& row = std::get<row_change>(event);
        bytes += row.size_bytes();
        rows += of(row, "id") == std::to_string(rows + 1) ? 1 : 0;
      }
      REQUIRE(piece.events.size() <= options.piece_events);
      REQUIRE(bytes <= options.piece_bytes + 4'000);
      full_by_count += piece.events.size() == options.piece_events ? 1 : 0;
      full_by_size += bytes >= options.piece_bytes ? 1 : 0;
      if (pieces++ == 0) {
        commit = piece.commit;
        confirmed = stream.position();
        REQUIRE(confirmed < commit);
      }
      REQUIRE(piece.commit == commit);
      last = piece.last;
      REQUIRE((last || stream.position() == confirmed)); // not by halves
    }
    CHECK(rows == 100'000);
    CHECK(full_by_count > 50);
    CHECK(full_by_size > 5);
    CHECK(stream.position() > commit);
    CHECK(read_all(stream).empty());
  }

  TEST_CASE("a new column gives the table a new shape, from the next change on") {
    const auto table = fed_table{"id int primary key"};
    auto stream = must_start();
    admin("insert into public.feed_case values (1)");
    admin("insert into public.feed_case values (2)");
    admin("alter table public.feed_case add note text default 'fresh'");
    admin("insert into public.feed_case values (3)");
    const auto rows = read_rows(stream);
    REQUIRE(rows.size() == 3);
    CHECK(rows[0].table() == rows[1].table());
    CHECK(rows[0].table() != rows[2].table());
    CHECK(rows[0].table()->columns.size() == 1);
    CHECK(rows[0].row().at("note").state == field_state::unknown);
    REQUIRE(rows[2].table()->columns.size() == 2);
    CHECK(of(rows[2], "note") == "fresh");
    CHECK(rows[2].table()->schema == "public");
    CHECK(rows[2].table()->columns[0].key);
    CHECK_FALSE(rows[2].table()->columns[1].key);
    CHECK(rows[2].table()->columns[1].type == 25); // text
    CHECK(rows[2].table()->oid ==
          number_of("select 'public.feed_case'::regclass::oid::bigint"));
  }

  TEST_CASE("a delete tells the id and the owner, and nothing else") {
    const auto user = add_user();
    const auto conversation = add_conversation(user);
    auto stream = must_start();
    admin("delete from public.conversations where id = $1", {conversation.str()});
    const auto pieces = read_all(stream);
    REQUIRE(pieces.size() == 1);
    const auto& row = std::get<row_change>(pieces[0].events.at(0));
    CHECK(row.kind() == change_kind::remove);
    CHECK(row.old_known() == old_row::key);
    CHECK(row.table()->identity == storage::replica_identity::index);
    CHECK(old_of(row, "id") == conversation.str());
    CHECK(old_of(row, "user_id") == user.str());
    CHECK(row.old().at("title").state == field_state::unknown);
    CHECK(row.row().at("id").state == field_state::unknown);
    admin("delete from auth.users where id = $1", {user.str()});
  }

  TEST_CASE("an update of the key tells the old one") {
    const auto table = fed_table{"id int primary key, note text"};
    auto stream = must_start();
    admin("insert into public.feed_case values (1, 'x')");
    admin("update public.feed_case set id = 2");
    const auto rows = read_rows(stream);
    REQUIRE(rows.size() == 2);
    CHECK(rows[1].old_known() == old_row::key);
    CHECK(old_of(rows[1], "id") == "1");
    CHECK(rows[1].old().at("note").state == field_state::unknown);
    CHECK(of(rows[1], "id") == "2");
  }

  TEST_CASE("a truncated table is named") {
    const auto table = fed_table{"id int primary key"};
    auto stream = must_start();
    admin("truncate public.feed_case");
    const auto pieces = read_all(stream);
    REQUIRE(pieces.size() == 1);
    const auto& emptied = std::get<storage::tables_truncated>(pieces[0].events.at(0));
    REQUIRE(emptied.tables.size() == 1);
    CHECK(emptied.tables[0]->name == "feed_case");
  }

  TEST_CASE("texts look the same whatever the role's settings are") {
    const auto table = fed_table{"id int primary key, at timestamptz, f float8, "
                                 "i interval, b bytea"};
    prepare(database(), "alter role jessica_wal set timezone = 'Asia/Tokyo';"
                        "alter role jessica_wal set datestyle = 'German';"
                        "alter role jessica_wal set intervalstyle = 'postgres_verbose';"
                        "alter role jessica_wal set extra_float_digits = -5;"
                        "alter role jessica_wal set bytea_output = 'escape'");
    auto stream = must_start();
    admin("alter role jessica_wal reset all");
    admin("insert into public.feed_case values (1, '2024-01-02 03:04:05.5+00', "
          "0.1::float8 + 0.2, '90 min', '\\x00ff')");
    const auto rows = read_rows(stream);
    REQUIRE(rows.size() == 1);
    CHECK(of(rows[0], "at") == "2024-01-02 03:04:05.5+00");
    CHECK(of(rows[0], "f") == "0.30000000000000004");
    CHECK(of(rows[0], "i") == "PT1H30M");
    CHECK(of(rows[0], "b") == "\\x00ff");
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

  TEST_CASE("only what the chosen publications hold is in the stream") {
    const auto table = fed_table{"id int primary key"};
    admin("create table public.feed_other (id int primary key)");
    admin(R"(create publication "odd ""name', x" for table public.feed_other)");
    auto options = quick_feed();
    options.publications = {R"(odd "name', x)"};
    {
      auto stream = must_start(options);
      admin("insert into public.feed_case values (1)");
      admin("insert into public.feed_other values (2)");
      const auto pieces = read_all(stream);
      REQUIRE(pieces.size() == 1);
      CHECK(of(std::get<row_change>(pieces[0].events.at(0)), "id") == "2");
    }
    admin(R"(drop publication "odd ""name', x")");
    admin("drop table public.feed_other");
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

  TEST_CASE("a stream is read only after it was started, and started once") {
    auto stream = must_open();
    CHECK_FALSE(stream.next(0ms));
    CHECK_FALSE(stream.keep_alive());
    REQUIRE(stream.start());
    CHECK_FALSE(stream.start());
    CHECK(read_all(stream).empty());
  }
}
