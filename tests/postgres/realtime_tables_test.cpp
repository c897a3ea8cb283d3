#include "storage/realtime_tables.hpp"
#include "storage/session.hpp"
#include "storage/wal_visibility.hpp"
#include "tests/postgres/seed.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace jessica::storage {
namespace {

using namespace test;
using namespace std::chrono_literals;
using rule = realtime_policy::rule;

/// A published table of its own for each case.
struct published {
  connection db{database(), role::engine};
  connection requests{database(), role::requests};

  published() {
    admin("create table public.followed (id int primary key, owner uuid, body text)");
    admin("alter table public.followed enable row level security");
    admin("grant select on public.followed to authenticated, service_role");
    admin("alter publication supabase_realtime add table public.followed");
  }
  ~published() { admin("drop table public.followed"); }

  [[nodiscard]] realtime_table table() {
    const auto all = realtime_tables(db);
    REQUIRE(all);
    const auto found = std::ranges::find(*all, "followed", &realtime_table::name);
    REQUIRE(found != all->end());
    return *found;
  }
  [[nodiscard]] rule judged() { return table().authenticated.judged; }
};

void policy(const std::string& condition, const std::string& more = "") {
  admin("create policy p on public.followed " + more +
        " for select to authenticated using (" + condition + ")");
}

} // namespace

TEST_SUITE("storage.realtime_tables") {
  TEST_CASE_FIXTURE(published, "ownership is recognised in each of its spellings") {
    for (const auto* condition :
         {"auth.uid() = owner", "owner = auth.uid()", "(select auth.uid()) = owner",
          "owner = (select auth.uid())"}) {
      CAPTURE(condition);
      policy(condition);
      CHECK(judged() == rule::owner);
      CHECK(table().authenticated.owner == "owner");
      CHECK(table().anon.judged == rule::none);
      admin("drop policy p on public.followed");
    }
  }

  TEST_CASE_FIXTURE(published, "everything else is asked of row security") {
    policy("auth.uid() = owner and body <> 'x'");
    CHECK(judged() == rule::sql);
    admin("drop policy p on public.followed");
    policy("auth.uid() = owner");
    admin(
        "create policy q on public.followed for select to authenticated using (true)");
    CHECK(judged() == rule::sql);
    admin("drop policy q on public.followed");
    CHECK(judged() == rule::owner);
    admin("create policy q on public.followed as restrictive for select to public "
          "using (body is null)");
    CHECK(judged() == rule::sql);
  }

  TEST_CASE_FIXTURE(published, "open and closed tables") {
    CHECK(judged() == rule::none); // row security without a policy
    policy("true");
    CHECK(judged() == rule::open);
    admin("revoke select on public.followed from authenticated");
    CHECK(judged() == rule::none);
    admin("grant select on public.followed to anon");
    admin("alter table public.followed disable row level security");
    CHECK(table().anon.judged == rule::open);
  }

  TEST_CASE_FIXTURE(published, "columns, their types, keys, and who may see them") {
    admin("revoke select on public.followed from authenticated");
    admin("grant select (id) on public.followed to authenticated");
    policy("true");
    const auto made = table();
    REQUIRE(made.columns.size() == 3);
    CHECK(made.columns[0].name == "id");
    CHECK(made.columns[0].type == "int4");
    CHECK(made.columns[0].key);
    CHECK(made.columns[1].type == "uuid");
    CHECK_FALSE(made.columns[1].key);
    CHECK(made.authenticated.columns == std::vector<std::string>{"id"});
  }

  TEST_CASE_FIXTURE(published, "row security answers for each who asks") {
    const auto ada = add_user();
    policy("auth.uid() = owner and body <> 'hidden'");
    admin("insert into public.followed values (1, $1, 'hello'), (2, $1, 'hidden')",
          {ada.str()});
    const auto whom =
        std::array{std::make_shared<const identity>(signed_in(ada)),
                   std::make_shared<const identity>(signed_in(add_user())),
                   std::make_shared<const identity>(service())};
    CHECK(who_sees(requests, table(), {{0, "1"}}, whom) ==
          std::vector<bool>{true, false, true});
    CHECK(who_sees(requests, table(), {{0, "2"}}, whom) ==
          std::vector<bool>{false, false, true});
    CHECK(who_sees(requests, table(), {{0, "3"}}, whom) ==
          std::vector<bool>{false, false, false});
    const auto columns = std::array{std::size_t{2}, std::size_t{1}};
    CHECK(read_columns(requests, table(), {{0, "1"}}, columns) ==
          std::vector<parameter>{"hello", ada.str()});
    CHECK(read_columns(requests, table(), {{0, "3"}}, columns) ==
          std::vector<parameter>{std::nullopt, std::nullopt});
  }

  TEST_CASE("waiting for a transaction ends with it, or at the limit") {
    auto db = connection{database(), role::engine};
    CHECK(wait_until_visible(db, 0, 0ms));
    auto writer = open_session(database(), role::migrations);
    REQUIRE(writer);
    REQUIRE(execute(writer->get(), "begin"));
    const auto xid = execute(writer->get(), "select pg_current_xact_id()::xid::text");
    REQUIRE(xid);
    const auto number = static_cast<std::uint32_t>(xid->integer(0, 0));
    const auto early = wait_until_visible(db, number, 5ms);
    REQUIRE_FALSE(early);
    CHECK(early.error().code == errc::timeout);
    REQUIRE(execute(writer->get(), "commit"));
    CHECK(wait_until_visible(db, number, 5s));
  }
}

} // namespace jessica::storage
