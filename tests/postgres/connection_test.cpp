#include "storage/connection.hpp"
#include "tests/fixtures/temp_postgres.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <format>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace jessica;
using storage::connection;
using storage::parameter;
using storage::statement;
using statements = std::vector<statement>;

connection engine() {
  return connection{test::database(), storage::role::engine};
}
connection superuser() {
  return connection{test::database(), storage::role::migrations};
}

std::string why(const auto& got) {
  return got ? "it succeeded"
             : std::format("{}: {}", name(got.error().code), got.error().what);
}

std::string state_of(const auto& got) {
  return !got && got.error().sql ? got.error().sql->sqlstate : std::string{};
}

std::int64_t backend_of(connection& db) {
  const auto got = db.run(statement{"select pg_backend_pid()", {}});
  REQUIRE_MESSAGE(got, why(got));
  return got->integer(0, 0);
}

// Ends the session of `db` from outside and waits until the server has forgotten it.
void cut(connection& db) {
  auto other = superuser();
  const auto got = other.run(statement{"select pg_terminate_backend($1, 10000)",
                                       {std::to_string(backend_of(db))}});
  REQUIRE_MESSAGE(got, why(got));
  REQUIRE(got->text(0, 0) == "t");
}

} // namespace

TEST_SUITE("storage.connection") {
  TEST_CASE("each role logs in by itself") {
    for (const auto role : {storage::role::requests, storage::role::engine,
                            storage::role::accounts, storage::role::migrations}) {
      auto db = connection{test::database(), role};
      const auto got = db.run(statement{"select session_user, current_user", {}});
      REQUIRE_MESSAGE(got, why(got));
      CHECK(got->text(0, 0) == role);
      CHECK(got->text(0, 1) == role);
    }
  }

  TEST_CASE("with switch_role one login takes every role and its time limit") {
    auto where = test::database();
    where.conninfo += " user=postgres";
    where.switch_role = true;
    auto db = connection{where, storage::role::requests};
    const auto got = db.run(statement{
        "select session_user, current_user, current_setting('statement_timeout')", {}});
    REQUIRE_MESSAGE(got, why(got));
    CHECK(got->text(0, 0) == "postgres");
    CHECK(got->text(0, 1) == "authenticator");
    CHECK(got->text(0, 2) == "8s");
  }

  TEST_CASE("a server that compiles dear plans does not compile ours") {
    auto operators = connection{test::database(), storage::role::migrations};
    REQUIRE(operators.run(statement{"alter role jessica_engine set jit = on", {}}));
    const auto got = connection{test::database(), storage::role::engine}.run(
        statement{"select current_setting('jit')", {}});
    REQUIRE(operators.run(statement{"alter role jessica_engine reset jit", {}}));
    REQUIRE_MESSAGE(got, why(got));
    CHECK(got->text(0, 0) == "off");
  }

  TEST_CASE("a role that cannot be taken is forbidden") {
    auto where = test::database();
    where.conninfo += " user=authenticator";
    where.switch_role = true;
    auto refused = connection{where, storage::role::migrations}.ensure();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::forbidden);
    refused = connection{where, "no \" such role"}.ensure();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::forbidden);
  }

  TEST_CASE("every role but the migrations' has a statement timeout") {
    for (const auto role :
         {storage::role::requests, storage::role::engine, storage::role::accounts}) {
      auto db = connection{test::database(), role};
      const auto got =
          db.run(statement{"select setting::int between 1 and 29999 from pg_settings "
                           "where name = 'statement_timeout'",
                           {}});
      REQUIRE_MESSAGE(got, why(got));
      CHECK(got->text(0, 0) == "t");
    }
  }

  TEST_CASE("values arrive as they were sent") {
    auto db = engine();
    const auto odd =
        std::string{"quote ' \" back \\ tab \t line \n \xc3\xa9 \xf0\x9f\x98\x80"};
    const auto got =
        db.run(statement{"select $1::text, $2::text, $3::text, $4::int, $5::bool",
                         {odd, "", std::nullopt, "-7", "true"}});
    REQUIRE_MESSAGE(got, why(got));
    CHECK(got->size() == 1);
    CHECK(got->text(0, 0) == odd);
    CHECK(got->text(0, 1).empty());
    CHECK_FALSE(got->null(0, 1));
    CHECK(got->null(0, 2));
    CHECK(got->integer(0, 3) == -7);
    CHECK(got->text(0, 4) == "t");
  }

  TEST_CASE("an array literal is read back item by item") {
    auto db = engine();
    const auto items = std::vector<parameter>{
        "plain", "", "NULL", std::nullopt, R"(q"uo\te)", "{a,b}", " space ", "l\nf"};
    const auto got =
        db.run(statement{"select x from unnest($1::text[]) with ordinality u (x, n) "
                         "order by n",
                         {storage::array_literal(items)}});
    REQUIRE_MESSAGE(got, why(got));
    REQUIRE(got->size() == static_cast<int>(items.size()));
    for (auto i = 0; i < got->size(); ++i) {
      const auto& sent = items[static_cast<std::size_t>(i)];
      CHECK(got->null(i, 0) == !sent.has_value());
      CHECK(got->text(i, 0) == sent.value_or(""));
    }
  }

  TEST_CASE("no statements are no round trip") {
    auto db = connection{{.conninfo = "host=/nonexistent"}, "x"};
    const auto got = db.run(statements{});
    REQUIRE(got);
    CHECK(got->empty());
  }

  TEST_CASE("the statements of one call are one transaction, and each has its rows") {
    auto db = engine();
    const auto got = db.run(statements{
        {"create temp table one_call (x int)", {}},
        {"insert into one_call values ($1), ($2)", {"1", "2"}},
        {"select x, txid_current() from one_call order by x", {}},
        {"select txid_current()", {}},
    });
    REQUIRE_MESSAGE(got, why(got));
    REQUIRE(got->size() == 4);
    CHECK((*got)[1].affected() == 2);
    REQUIRE((*got)[2].size() == 2);
    CHECK((*got)[2].integer(1, 0) == 2);
    CHECK((*got)[2].integer(0, 1) == (*got)[3].integer(0, 0));
  }

  TEST_CASE("role and claims set for a transaction end with it") {
    auto db = connection{test::database(), storage::role::requests};
    const auto got = db.run(statements{
        {"select set_config('role', $1, true), "
         "set_config('request.jwt.claims', $2, true)",
         {"authenticated", R"({"sub":"00000000-0000-0000-0000-00000000000a"})"}},
        {"select current_user, auth.uid()", {}},
    });
    REQUIRE_MESSAGE(got, why(got));
    CHECK((*got)[1].text(0, 0) == "authenticated");
    CHECK((*got)[1].text(0, 1) == "00000000-0000-0000-0000-00000000000a");
    const auto after =
        db.run(statement{"select current_user, "
                         "coalesce(current_setting('request.jwt.claims', true), '')",
                         {}});
    REQUIRE_MESSAGE(after, why(after));
    CHECK(after->text(0, 0) == "authenticator");
    CHECK(after->text(0, 1).empty());
  }

  TEST_CASE("role and claims end with a failed transaction too") {
    auto db = connection{test::database(), storage::role::requests};
    const auto set = statement{"select set_config('role', 'authenticated', true)", {}};
    CHECK_FALSE(db.run(statements{set, {"select 1/0", {}}}));
    const auto after = db.run(statement{"select current_user", {}});
    REQUIRE_MESSAGE(after, why(after));
    CHECK(after->text(0, 0) == "authenticator");
  }

  TEST_CASE("a failing statement rolls everything back and names itself") {
    auto db = engine();
    REQUIRE(db.run(statement{"create temp table rolled (x int primary key)", {}}));
    const auto got = db.run(statements{
        {"insert into rolled values (1)", {}},
        {"insert into rolled values ($1::int)", {"1"}},
        {"select 1/0", {}}, // not reached: the first error is the one that counts
    });
    REQUIRE_FALSE(got);
    CHECK(got.error().code == errc::conflict);
    REQUIRE(got.error().sql);
    CHECK(got.error().sql->sqlstate == "23505");
    CHECK(got.error().sql->detail.contains("(1)"));
    const auto count = db.run(statement{"select count(*) from rolled", {}});
    REQUIRE_MESSAGE(count, why(count));
    CHECK(count->integer(0, 0) == 0);
  }

  TEST_CASE("an error at the commit itself is reported") {
    auto db = engine();
    REQUIRE(db.run(statements{{"create temp table parent (x int primary key)", {}},
                              {"create temp table child (x int references parent "
                               "deferrable initially deferred)",
                               {}}}));
    const auto got = db.run(statement{"insert into child values (7)", {}});
    REQUIRE_FALSE(got);
    CHECK(state_of(got) == "23503");
    CHECK(got.error().code == errc::invalid_input);
    const auto count = db.run(statement{"select count(*) from child", {}});
    REQUIRE_MESSAGE(count, why(count));
    CHECK(count->integer(0, 0) == 0);
  }

  TEST_CASE("what the server refuses becomes a code") {
    auto db = engine();
    const auto code = [&](std::string sql) {
      const auto got = db.run(statement{std::move(sql), {}});
      REQUIRE_FALSE(got);
      REQUIRE(got.error().sql);
      return got.error().code;
    };
    CHECK(code("select * from public.messages") == errc::forbidden);
    CHECK(code("select nonsense") == errc::invalid_input);
    CHECK(code("this is no sql") == errc::invalid_input);
    CHECK(code("select 'x'::int") == errc::invalid_input);
    CHECK(code("do $$ begin raise exception using errcode = '53400'; end $$") ==
          errc::overloaded);
    CHECK(code("do $$ begin raise exception using errcode = '40P01'; end $$") ==
          errc::unavailable);
    CHECK(code("do $$ begin raise exception using errcode = 'XX000'; end $$") ==
          errc::internal);
    // The connection is as good as before.
    CHECK(db.run(statement{"select 1", {}}));
  }

  TEST_CASE("a statement that takes too long is a timeout") {
    auto db = engine();
    const auto got =
        db.run(statements{{"select set_config('statement_timeout', '20ms', true)", {}},
                          {"select pg_sleep(60)", {}}});
    REQUIRE_FALSE(got);
    CHECK(got.error().code == errc::timeout);
    CHECK(state_of(got) == "57014");
  }

  TEST_CASE("a copy is refused and the next call works") {
    auto db = engine();
    const auto got = db.run(statement{"copy (select 1) to stdout", {}});
    REQUIRE_FALSE(got);
    CHECK(got.error().code == errc::invalid_input);
    CHECK(db.run(statement{"select 1", {}}));
  }

  TEST_CASE("a text is prepared once, however often it runs") {
    auto db = engine();
    const auto twice = statement{"select $1::int + 40", {"2"}};
    REQUIRE(db.run(statements{twice, twice}));
    REQUIRE(db.run(twice));
    const auto got = db.run(
        statement{"select count(*) from pg_prepared_statements where statement = $1",
                  {twice.sql}});
    REQUIRE_MESSAGE(got, why(got));
    CHECK(got->integer(0, 0) == 1);
  }

  TEST_CASE("prepared statements are bounded and the server's copies are closed") {
    auto db = engine();
    auto all = statements{};
    for (auto i = 0; i < 300; ++i) {
      all.push_back({std::format("select {}", i), {}});
    }
    const auto got = db.run(all); // more than the limit within one call
    REQUIRE_MESSAGE(got, why(got));
    CHECK((*got)[299].integer(0, 0) == 299);
    const auto again = db.run(all);
    REQUIRE_MESSAGE(again, why(again));
    CHECK((*again)[0].integer(0, 0) == 0);
    for (auto i = 0; i < 3; ++i) {
      const auto count =
          db.run(statement{"select count(*) from pg_prepared_statements", {}});
      REQUIRE_MESSAGE(count, why(count));
      CHECK(count->integer(0, 0) <= 300);
      if (i > 0) {
        CHECK(count->integer(0, 0) <= 256);
      }
    }
  }

  TEST_CASE("what was not prepared because of an error is prepared the next time") {
    auto db = engine();
    const auto bad = statement{"select 1/0", {}};
    const auto good = statement{"select 'after the error'", {}};
    CHECK_FALSE(db.run(statements{bad, good}));
    const auto got = db.run(good);
    REQUIRE_MESSAGE(got, why(got));
    CHECK(got->text(0, 0) == "after the error");
    const auto broken = statement{"select from from", {}};
    CHECK_FALSE(db.run(broken));
    CHECK(state_of(db.run(broken)) == "42601");
  }

  TEST_CASE("a table may change its shape between two calls") {
    auto db = engine();
    auto other = superuser();
    test::prepare(
        test::database(),
        "create table public.shape (a int); insert into public.shape values (1);"
        "grant select on public.shape to jessica_engine");
    const auto read = statement{"select * from public.shape", {}};
    REQUIRE(db.run(read));
    test::prepare(test::database(), "alter table public.shape add b int default 2");
    const auto got = db.run(read);
    REQUIRE_MESSAGE(got, why(got));
    CHECK(got->integer(0, 1) == 2);
    test::prepare(test::database(), "drop table public.shape");
  }

  TEST_CASE("prepared statements that somebody dropped are prepared again") {
    auto db = engine();
    const auto read = statement{"select 'still here'", {}};
    REQUIRE(db.run(read));
    REQUIRE(db.run(statement{"deallocate all", {}}));
    const auto got = db.run(read);
    REQUIRE_MESSAGE(got, why(got));
    CHECK(got->text(0, 0) == "still here");
  }

  TEST_CASE("a session that ended while idle is replaced without a failed call") {
    auto db = engine();
    const auto before = backend_of(db);
    cut(db);
    const auto got = db.run(statement{"select pg_backend_pid()", {}});
    REQUIRE_MESSAGE(got, why(got));
    CHECK(got->integer(0, 0) != before);
  }

  TEST_CASE(
      "a session that ends during a call fails it, and the next call reconnects") {
    auto db = superuser();
    REQUIRE(db.run(statement{"create temp table marker (x int)", {}}));
    const auto got = db.run(statements{
        {"insert into marker values (1)", {}},
        {"select pg_terminate_backend(pg_backend_pid())", {}},
        {"select 'never'", {}},
    });
    REQUIRE_FALSE(got);
    CHECK(got.error().code == errc::unavailable);
    CHECK(state_of(got) == "57P01");
    CHECK(db.run(statement{"select 1", {}}));
    // A new session: the temporary table went with the old one.
    CHECK(state_of(db.run(statement{"select * from marker", {}})) == "42P01");
  }

  TEST_CASE("more is sent and received than sockets can hold") {
    auto db = engine();
    const auto big = std::string(1 << 20, 'x');
    auto all = statements{};
    for (auto i = 0; i < 24; ++i) {
      all.push_back({"select $1::text", {big}});
    }
    const auto got = db.run(all);
    REQUIRE_MESSAGE(got, why(got));
    CHECK(std::ranges::all_of(*got,
                              [&](const auto& one) { return one.text(0, 0) == big; }));
  }

  TEST_CASE("a connection can be moved while it is open") {
    auto first = engine();
    const auto backend = backend_of(first);
    auto second = std::move(first);
    CHECK(backend_of(second) == backend);
    second = engine();
    CHECK(backend_of(second) != backend);
  }
}
