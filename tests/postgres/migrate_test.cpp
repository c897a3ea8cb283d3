#include "storage/connection.hpp"
#include "storage/migrate.hpp"
#include "tests/fixtures/temp_postgres.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <latch>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace jessica;
using namespace std::chrono_literals;
using storage::migrate;
using storage::migration;
using storage::statement;
using names = std::vector<std::string>;

std::string one_text(const storage::endpoint& where, std::string sql) {
  auto db = storage::connection{where, storage::role::migrations};
  const auto got = db.run(statement{std::move(sql), {}});
  REQUIRE_MESSAGE(got, (got ? "" : got.error().what));
  return got->size() > 0 ? std::string{got->text(0, 0)} : "";
}

constexpr auto two = std::array{
    migration{"1_one", "create table one (x int); insert into one values (1)"},
    migration{"2_two", "create table two (x int)"},
};

constexpr auto count_triggers =
    std::string_view{"select count(*) from pg_trigger where tgname like 'jessica_on_%' "
                     "and tgrelid::regclass::text in ('auth.users', 'auth.sessions')"};
constexpr auto ask_of_nobody = std::string_view{
    "select count(*) from jessica.ended_logins(array[gen_random_uuid()], "
    "array[gen_random_uuid()])"};

/// As a hosted project looks: no superuser, auth and its functions given, with so many
/// rights on them.
struct hosted_project {
  storage::endpoint where = test::empty_database("mig_hosted");

  explicit hosted_project(const std::string& rights) {
    REQUIRE(migrate(where, storage::migrations().first(1), 30s));
    test::prepare(where,
                  "drop schema jessica_migrations cascade;"
                  "drop role if exists hosted; create role hosted login bypassrls;"
                  "grant create on database mig_hosted to hosted;"
                  "grant create, usage on schema public to hosted;"
                  "grant usage on schema auth, realtime to hosted;"
                  "alter table realtime.messages owner to hosted;"
                  "alter publication supabase_realtime owner to hosted;"
                  "alter publication jessica_engine owner to hosted;" +
                      rights);
    where.conninfo += " user=hosted";
    where.switch_role = true;
  }
  ~hosted_project() {
    test::prepare(test::database(), "drop database mig_hosted with (force)");
    test::prepare(test::database(), "drop role hosted");
  }
  hosted_project(const hosted_project&) = delete;
  hosted_project& operator=(const hosted_project&) = delete;

  [[nodiscard]] std::int64_t number(std::string_view sql) const {
    auto db = storage::connection{where, ""};
    const auto got = db.run({std::string{sql}, {}});
    REQUIRE_MESSAGE(got, (got ? "" : got.error().what));
    return got->integer(0, 0);
  }
};

} // namespace

TEST_SUITE("storage.migrate") {
  TEST_CASE("the binary carries the migrations in order") {
    const auto all = storage::migrations();
    REQUIRE(all.size() == 8);
    CHECK(all[0].name == "00000000000000_self_hosted");
    CHECK(all[0].self_hosted_only);
    CHECK(all[1].name == "20240101000000_init_backend");
    CHECK_FALSE(all[1].self_hosted_only);
    CHECK(all[2].name == "20240101000001_engine");
    CHECK_FALSE(all[2].self_hosted_only);
    CHECK(all[1].sql.contains("'\\s+'"));
    CHECK(all[3].name == "20240101000002_realtime");
    CHECK_FALSE(all[3].self_hosted_only);
    CHECK(all[4].name == "20240101000003_memory");
    CHECK_FALSE(all[4].self_hosted_only);
    CHECK(all[5].name == "20240101000004_search");
    CHECK_FALSE(all[5].self_hosted_only);
    CHECK(all[6].name == "20240101000005_usage");
    CHECK_FALSE(all[6].self_hosted_only);
    CHECK(all[7].name == "20240101000006_branches");
    CHECK_FALSE(all[7].self_hosted_only);
  }

  TEST_CASE("what is missing is applied, once") {
    const auto where = test::empty_database("mig_once");
    const auto first = migrate(where, two, 5s);
    REQUIRE_MESSAGE(first, (first ? "" : first.error().what));
    CHECK(first->applied == names{"1_one", "2_two"});
    CHECK(first->already == 0);
    const auto again = migrate(where, two, 5s);
    REQUIRE(again);
    CHECK(again->applied.empty());
    CHECK(again->already == 2);
    CHECK(one_text(where, "select count(*) from one") == "1");
  }

  TEST_CASE("the ledger holds name and sha256 and is nobody else's") {
    const auto where = test::empty_database("mig_ledger");
    REQUIRE(migrate(where, std::array{migration{"abc", "select 1"}}, 5s));
    CHECK(one_text(where, "select name from jessica_migrations.applied") == "abc");
    CHECK(one_text(where, "select sha256 = encode(sha256('select 1'), 'hex') "
                          "from jessica_migrations.applied") == "t");
    CHECK(one_text(where, "select coalesce(bool_or(has_schema_privilege(rolname, "
                          "'jessica_migrations', 'usage')), false) from pg_roles where "
                          "rolname in ('anon', 'authenticated', 'authenticator', "
                          "'jessica_engine')") == "f");
  }

  TEST_CASE("a file that was edited after it was applied is refused by name") {
    const auto where = test::empty_database("mig_edited");
    REQUIRE(migrate(where, two, 5s));
    const auto edited = std::array{
        migration{"0_new", "create table new (x int)"},
        two[0],
        migration{"2_two", "create table two (x bigint)"},
    };
    const auto got = migrate(where, edited, 5s);
    REQUIRE_FALSE(got);
    CHECK(got.error().code == errc::conflict);
    CHECK(got.error().what.contains("2_two"));
    CHECK(one_text(where, "select to_regclass('new') is null") == "t");
  }

  TEST_CASE(
      "a migration that fails leaves nothing of itself and keeps the ones before") {
    const auto where = test::empty_database("mig_broken");
    const auto broken =
        std::array{two[0], migration{"2_bad", "create table half (x int); select 1/0"},
                   migration{"3_next", "create table next (x int)"}};
    const auto got = migrate(where, broken, 5s);
    REQUIRE_FALSE(got);
    CHECK(got.error().code == errc::internal);
    CHECK(got.error().what.contains("2_bad"));
    CHECK(got.error().what.contains("division by zero"));
    CHECK(one_text(where, "select to_regclass('half') is null and "
                          "to_regclass('next') is null") == "t");
    CHECK(one_text(where, "select string_agg(name, ',') from "
                          "jessica_migrations.applied") == "1_one");
    const auto mended =
        std::array{two[0], migration{"2_bad", "create table half (x int)"}};
    const auto again = migrate(where, mended, 5s);
    REQUIRE_MESSAGE(again, (again ? "" : again.error().what));
    CHECK(again->applied == names{"2_bad"});
  }

  TEST_CASE("two starters at once apply everything once") {
    const auto where = test::empty_database("mig_race");
    auto reports = std::array<std::optional<result<storage::migration_report>>, 2>{};
    auto together = std::latch{2};
    {
      auto starters = std::vector<std::jthread>{};
      for (auto& report : reports) {
        starters.emplace_back([&] {
          together.arrive_and_wait();
          report = migrate(where, storage::migrations(), 60s);
        });
      }
    }
    auto applied = std::size_t{0};
    auto already = std::size_t{0};
    for (const auto& report : reports) {
      REQUIRE_MESSAGE(*report, (*report ? "" : report->error().what));
      applied += (*report)->applied.size();
      already += (*report)->already;
    }
    CHECK(applied == storage::migrations().size());
    CHECK(already == storage::migrations().size());
  }

  TEST_CASE(
      "a migration that takes longer than the wait makes the other starter give up") {
    const auto where = test::empty_database("mig_busy");
    auto holder = storage::connection{where, storage::role::migrations};
    // The lock of another starter, held by its session.
    REQUIRE(migrate(where, two, 5s));
    REQUIRE(holder.run(statement{"select pg_advisory_lock(4842100120240101)", {}}));
    const auto got = migrate(where, two, 1s);
    REQUIRE_FALSE(got);
    CHECK(got.error().code == errc::unavailable);
    CHECK(got.error().what.contains("migrating"));
  }

  TEST_CASE("a database that is not there is unavailable after the wait") {
    const auto got = migrate({.conninfo = "host=/nonexistent"}, two, 0s);
    REQUIRE_FALSE(got);
    CHECK(got.error().code == errc::unavailable);
  }

  TEST_CASE("who waits for a database may be told to give up") {
    auto asked = 0;
    const auto got = migrate({.conninfo = "host=/nonexistent"}, two, 1h,
                             [&] { return ++asked == 2; });
    REQUIRE_FALSE(got);
    CHECK(got.error().code == errc::unavailable);
    CHECK(asked == 2);
  }

  TEST_CASE("a role with too few rights for an empty database hears which it needs") {
    auto where = test::empty_database("mig_weak");
    test::prepare(where, "drop role if exists weak; create role weak login;"
                         "alter database mig_weak owner to weak;"
                         "alter schema public owner to weak");
    where.conninfo += " user=weak";
    where.switch_role = true;
    const auto got = migrate(where, storage::migrations(), 30s);
    REQUIRE_FALSE(got);
    CHECK(got.error().what.contains("00000000000000_self_hosted"));
    CHECK(got.error().what.contains("superuser"));
    CHECK_FALSE(got.error().what.contains('\n'));
  }

  TEST_CASE("a hosted project keeps what it has: our preliminaries are skipped") {
    const auto project =
        hosted_project{"grant references, select on auth.users to hosted"};
    const auto& where = project.where;
    const auto got = migrate(where, storage::migrations(), 30s);
    REQUIRE_MESSAGE(got, (got ? "" : got.error().what));
    CHECK(got->applied == names{"20240101000000_init_backend", "20240101000001_engine",
                                "20240101000002_realtime", "20240101000003_memory",
                                "20240101000004_search", "20240101000005_usage",
                                "20240101000006_branches"});
    const auto again = migrate(where, storage::migrations(), 30s);
    REQUIRE(again);
    CHECK(again->applied.empty());
    CHECK(again->already == 7);
    // It may not look at sessions, nor have triggers there: tokens live as they live.
    CHECK(project.number(count_triggers) == 0);
    CHECK(project.number(ask_of_nobody) == 0);
  }

  TEST_CASE("a hosted project that allows it tells of sessions that end") {
    const auto project = hosted_project{
        "grant references, select, trigger on auth.users, auth.sessions to hosted"};
    REQUIRE(migrate(project.where, storage::migrations(), 30s));
    CHECK(project.number(count_triggers) == 3);
    CHECK(project.number(ask_of_nobody) == 1);
  }

  TEST_CASE("a foreign server without auth gets the preliminaries") {
    const auto where = test::empty_database("mig_plain");
    const auto once = std::array{migration{"0_pre", "create schema auth", true}};
    const auto got = migrate(where, once, 5s);
    REQUIRE(got);
    CHECK(got->applied == names{"0_pre"});
  }
}
