#include "storage/rest_sql.hpp"
#include "tests/postgres/seed.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace jessica::storage {
namespace {

using namespace test;

constexpr auto cap = std::int64_t{1000};

struct rest_world {
  connection db{database(), role::requests};
  user_id ada = add_user();
  user_id bob = add_user();
  conversation_id room = add_conversation(ada);
  conversation_id other = add_conversation(bob);
  table_query query;

  rest_world() {
    query.table = "messages";
    query.columns = {{"content", "", ""}};
    query.order = {{"seq", false, {}}};
    for (const auto* text : {"one", "two", "three", "it's \"four\" \\ % _ ,)"})
      add(ada, room, text);
    add(bob, other, "secret");
  }
  static void add(user_id user, conversation_id where, std::string text) {
    admin("insert into public.messages (user_id, conversation_id, content) "
          "values ($1, $2, $3)",
          {user.str(), where.str(), std::move(text)});
  }
  [[nodiscard]] result<table_page> read(const identity& who) {
    return select(db, who, query, cap);
  }
  /// The contents that Ada reads under one filter, "|" between them.
  [[nodiscard]] std::string contents(column_filter filter) {
    query.filters = {std::move(filter)};
    const auto page = read(signed_in(ada));
    if (!page)
      return page.error().what;
    return text_of("select coalesce(string_agg(x ->> 'content', '|' order by n), '') "
                   "from json_array_elements($1::json) with ordinality t (x, n)",
                   {page->json});
  }
  [[nodiscard]] std::string sqlstate(const identity& who) {
    const auto page = read(who);
    return page || !page.error().sql ? std::string{} : page.error().sql->sqlstate;
  }
};

using comparison::eq;

} // namespace

TEST_SUITE("storage.rest") {
  TEST_CASE_FIXTURE(rest_world, "each user reads his own rows and no others") {
    query.count = row_count::exact;
    const auto mine = read(signed_in(ada));
    REQUIRE(mine);
    CHECK(mine->rows == 4);
    CHECK(mine->total == 4);
    CHECK_FALSE(mine->json.contains("secret"));
    const auto his = read(signed_in(bob));
    REQUIRE(his);
    CHECK(his->json == R"([{"content":"secret"}])");
    const auto nobody = read(signed_in(user_id::make()));
    REQUIRE(nobody);
    CHECK(nobody->json == "[]");
    CHECK(nobody->rows == 0);
    CHECK(nobody->total == 0);
  }

  TEST_CASE_FIXTURE(rest_world, "anon is refused, the service role sees all") {
    const auto refused = read(identity{});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::forbidden);
    CHECK(refused.error().sql->sqlstate == "42501");
    CHECK(refused.error().sql->message == "permission denied for table messages");
    query.filters = {
        {"conversation_id", comparison::in, false, {room.str(), other.str()}}};
    CHECK(read(service())->rows == 5);
  }

  TEST_CASE_FIXTURE(rest_world, "one request's identity is gone with it") {
    REQUIRE(read(service()));
    CHECK(db.run({"select current_user", {}})->text(0, 0) == role::requests);
    CHECK(read(signed_in(bob))->rows == 1);
    CHECK_FALSE(read(identity{}));
    CHECK(read(signed_in(ada))->rows == 4);
  }

  TEST_CASE_FIXTURE(rest_world, "comparisons compare as the column's type does") {
    const auto second = text_of("select seq from public.messages where content = 'two' "
                                "and user_id = $1",
                                {ada.str()});
    CHECK(contents({"seq", eq, false, {second}}) == "two");
    CHECK(contents({"seq", comparison::lt, false, {second}}) == "one");
    CHECK(contents({"seq", comparison::lte, false, {second}}) == "one|two");
    CHECK(contents({"seq", comparison::gt, true, {second}}) == "one|two");
    CHECK(contents({"content", comparison::neq, false, {"one"}})
              .starts_with("two|three|"));
    CHECK(contents({"content", comparison::like, false, {"t%"}}) == "two|three");
    CHECK(contents({"content", comparison::ilike, false, {"T_O"}}) == "two");
    CHECK(
        contents({"content", comparison::like, true, {"t%"}}).starts_with("one|it's"));
    CHECK(contents({"id", eq, false, {"not a uuid"}}).contains("22P02"));
  }

  TEST_CASE_FIXTURE(rest_world, "in finds members, whatever they hold") {
    CHECK(contents({"content",
                    comparison::in,
                    false,
                    {"three", "it's \"four\" \\ % _ ,)", "NULL"}}) ==
          "three|it's \"four\" \\ % _ ,)");
    CHECK(contents({"content", comparison::in, false, {}}) == "");
    CHECK(contents({"content", comparison::in, true, {"one", "two", "three"}}) ==
          "it's \"four\" \\ % _ ,)");
  }

  TEST_CASE_FIXTURE(rest_world, "is asks for null and truth") {
    CHECK(contents({"client_id", comparison::is, false, {"null"}}).starts_with("one|"));
    CHECK(contents({"client_id", comparison::is, false, {"not_null"}}) == "");
    CHECK(contents({"client_id", comparison::is, true, {"null"}}) == "");
    query.table = "inference_jobs";
    query.columns = {{"id", "", ""}};
    query.order = {};
    query.filters = {{"cancel_requested", comparison::is, false, {"true"}}};
    CHECK(read(signed_in(ada))->json == "[]");
  }

  TEST_CASE_FIXTURE(rest_world, "a window shows part, the count all") {
    query.count = row_count::exact;
    query.limit = 2;
    query.offset = 1;
    const auto page = read(signed_in(ada));
    REQUIRE(page);
    CHECK(page->json.contains("two"));
    CHECK(page->json.contains("three"));
    CHECK(page->rows == 2);
    CHECK(page->total == 4);
    query.limit = 0;
    CHECK(read(signed_in(ada))->json == "[]");
    query.limit = {};
    query.offset = 99;
    CHECK(read(signed_in(ada))->rows == 0);
    query.offset = 0;
    CHECK(select(db, signed_in(ada), query, 3)->rows == 3);
    query.count = row_count::none;
    CHECK_FALSE(read(signed_in(ada))->total);
  }

  TEST_CASE_FIXTURE(rest_world, "order sorts, with nulls where asked") {
    admin("update public.messages set client_id = content || id::text "
          "where user_id = $1 and content in ('one', 'two')",
          {ada.str()});
    const auto first = [&](column_order by) {
      query.order = {std::move(by), {"seq", false, {}}};
      query.limit = 1;
      const auto page = read(signed_in(ada));
      REQUIRE(page);
      return page->json;
    };
    CHECK(first({"client_id", false, {}}) == R"([{"content":"one"}])");
    CHECK(first({"client_id", true, {}}) == R"([{"content":"three"}])");
    CHECK(first({"client_id", true, false}) == R"([{"content":"two"}])");
    CHECK(first({"client_id", false, true}) == R"([{"content":"three"}])");
  }

  TEST_CASE_FIXTURE(rest_world, "aliases, casts, stars and json come out as asked") {
    query.filters = {{"content", eq, false, {"one"}}};
    query.columns = {{"content", "text", ""}, {"user_id", "", "text"}};
    CHECK(read(signed_in(ada))->json ==
          R"([{"text":"one","user_id":")" + ada.str() + R"("}])");
    query.columns = {};
    const auto all = read(signed_in(ada))->json;
    CHECK(all.contains(R"("usage":null)"));
    CHECK(all.contains(R"("role":"user")"));
    query.columns = {{"*", "", ""}, {"role", "again", ""}};
    CHECK(read(signed_in(ada))->json.contains(R"("again":"user")"));
  }

  TEST_CASE_FIXTURE(rest_world, "an unknown table is told as PostgREST tells it") {
    query.table = "nothing";
    const auto page = read(signed_in(ada));
    REQUIRE_FALSE(page);
    CHECK(page.error().code == errc::not_found);
    CHECK(page.error().reason == "PGRST205");
    CHECK(page.error().what ==
          "Could not find the table 'public.nothing' in the schema cache");
    query.schema = "no schema";
    CHECK(read(signed_in(ada)).error().reason == "PGRST205");
  }

  TEST_CASE_FIXTURE(rest_world, "an unknown column is PostgreSQL's own error") {
    query.columns = {{"nope", "", ""}};
    const auto page = read(signed_in(ada));
    REQUIRE_FALSE(page);
    CHECK(page.error().code == errc::invalid_input);
    REQUIRE(page.error().sql);
    CHECK(page.error().sql->sqlstate == "42703");
    CHECK(page.error().sql->message == "column messages.nope does not exist");
  }

  TEST_CASE_FIXTURE(rest_world,
                    "columns without a grant and other schemas stay closed") {
    query.table = "inference_jobs";
    query.columns = {{"params", "", ""}};
    query.order = {};
    CHECK(sqlstate(signed_in(ada)) == "42501");
    query.columns = {};
    CHECK(sqlstate(signed_in(ada)) == "42501");
    query.schema = "auth";
    query.table = "users";
    CHECK(sqlstate(signed_in(ada)) == "42501");
    query.schema = "jessica";
    query.table = "nodes";
    CHECK(sqlstate(signed_in(ada)) == "42501");
  }

  TEST_CASE_FIXTURE(rest_world, "nothing a client writes becomes SQL") {
    const auto* attack = "content\" = '' or true; delete from public.messages; --";
    const auto before = number_of("select count(*) from public.messages");
    query.filters = {{attack, eq, false, {"x"}}};
    CHECK(sqlstate(signed_in(ada)) == "42703");
    query.filters = {};
    query.order = {{attack, false, {}}};
    CHECK(sqlstate(signed_in(ada)) == "42703");
    query.order = {};
    query.columns = {{attack, "", ""}};
    CHECK(sqlstate(signed_in(ada)) == "42703");
    query.columns = {{"content", "a\", (select current_user) as \"b", ""}};
    CHECK(read(signed_in(ada))
              ->json.contains(R"({"a\", (select current_user) as \"b":"one"})"));
    query.columns = {{"content", "", ""}};
    CHECK(contents({"content", eq, false, {"' or true --"}}) == "");
    CHECK(contents({"content", comparison::in, false, {"}', 'x'); --", "one"}}) ==
          "one");
    CHECK(contents({"content", comparison::like, false, {"$1"}}) == "");
    query.filters = {};
    query.table = "messages\"; drop table public.messages; --";
    CHECK(read(signed_in(ada)).error().reason == "PGRST205");
    CHECK(number_of("select count(*) from public.messages") == before);
  }

  TEST_CASE_FIXTURE(rest_world, "a read cannot write, not even through a function") {
    prepare(database(), "create function public.sneaky(public.messages) returns text "
                        "language sql volatile as $$ insert into public.conversations "
                        "default values returning id::text $$");
    query.columns = {{"sneaky", "", ""}};
    CHECK(sqlstate(signed_in(ada)) == "25006");
    prepare(database(), "drop function public.sneaky(public.messages)");
  }

  TEST_CASE_FIXTURE(rest_world, "odd names of tables and columns are just names") {
    prepare(database(), R"(create table public."Odd ""table" (page int, "a.b" int);
        insert into public."Odd ""table" values (1, 2);
        grant select on public."Odd ""table" to anon)");
    query = {};
    query.table = "Odd \"table";
    query.filters = {{"a.b", eq, false, {"2"}}};
    CHECK(read(identity{})->json == R"([{"page":1,"a.b":2}])");
    prepare(database(), R"(drop table public."Odd ""table")");
  }

  TEST_CASE_FIXTURE(rest_world,
                    "a new column is there at once, on the same connection") {
    prepare(database(), "create table public.grows (a int); insert into public.grows "
                        "values (1); grant select on public.grows to anon");
    query = {};
    query.table = "grows";
    CHECK(read(identity{})->json == R"([{"a":1}])");
    prepare(database(), "alter table public.grows add b int default 2");
    CHECK(read(identity{})->json == R"([{"a":1,"b":2}])");
    prepare(database(), "drop table public.grows");
    CHECK(read(identity{}).error().reason == "PGRST205");
  }
}

} // namespace jessica::storage
