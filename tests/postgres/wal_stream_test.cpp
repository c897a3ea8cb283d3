#include "tests/postgres/feed_world.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <variant>

namespace {

using namespace jessica;
using namespace jessica::test;
using namespace std::chrono_literals;
using storage::change_kind;
using storage::field_state;
using storage::old_row;
using storage::row_change;
using storage::wal_message;

} // namespace

TEST_SUITE("storage.wal_stream") {
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

  TEST_CASE("a stream is read only after it was started, and started once") {
    auto stream = must_open();
    CHECK_FALSE(stream.next(0ms));
    CHECK_FALSE(stream.keep_alive());
    REQUIRE(stream.start());
    CHECK_FALSE(stream.start());
    CHECK(read_all(stream).empty());
  }
}
