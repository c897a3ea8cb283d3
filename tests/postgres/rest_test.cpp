#include "storage/rest_line.hpp"
#include "tests/postgres/rest_world.hpp"

#include <doctest/doctest.h>
#include <poll.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace jessica::storage {
namespace {

using namespace test;
using comparison::eq;

struct rest_world : rest_database {
  user_id ada = add_user();
  user_id bob = add_user();
  conversation_id room = add_conversation(ada);
  conversation_id other = add_conversation(bob);
  rest_request query = request_of(rest_action::read, "messages", {"content"});

  rest_world() {
    query.what.order = {{"", {"seq", {}}, false, {}}};
    for (const auto* text : {"one", "two", "three", "it's \"four\" \\ % _ ,)"})
      add(ada, room, text);
    add(bob, other, "secret");
  }
  static void add(user_id user, conversation_id where, std::string text) {
    admin("insert into public.messages (user_id, conversation_id, content) "
          "values ($1, $2, $3)",
          {user.str(), where.str(), std::move(text)});
  }
  [[nodiscard]] result<rest_reply> read(const identity& who) { return run(who, query); }
  /// The contents that Ada reads under one filter, "|" between them.
  [[nodiscard]] std::string contents(condition filter) {
    query.what.conditions = {std::move(filter)};
    const auto page = read(signed_in(ada));
    if (!page)
      return page.error().what;
    return text_of("select coalesce(string_agg(x ->> 'content', '|' order by n), '') "
                   "from json_array_elements($1::json) with ordinality t (x, n)",
                   {page->body});
  }
  [[nodiscard]] std::string first(column_order by) {
    query.what.order = {std::move(by), {"", {"seq", {}}, false, {}}};
    query.what.limit = 1;
    return body(signed_in(ada), query);
  }
};

} // namespace

TEST_SUITE("storage.rest") {
  TEST_CASE_FIXTURE(rest_world, "each user reads his own rows and no others") {
    query.prefer.count = row_count::exact;
    const auto mine = read(signed_in(ada));
    REQUIRE(mine);
    CHECK(mine->rows == 4);
    CHECK(mine->total == 4);
    CHECK_FALSE(mine->body.contains("secret"));
    CHECK(body(signed_in(bob), query) == R"([{"content":"secret"}])");
    const auto nobody = read(signed_in(user_id::make()));
    REQUIRE(nobody);
    CHECK(nobody->body == "[]");
    CHECK(nobody->total == 0);
  }

  TEST_CASE_FIXTURE(rest_world, "anon is refused, the service role sees all") {
    const auto refused = read(identity{});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::forbidden);
    CHECK(refused.error().sql->sqlstate == "42501");
    CHECK(refused.error().sql->message == "permission denied for table messages");
    query.what.conditions = {
        filter_of("conversation_id", comparison::in, {room.str(), other.str()})};
    CHECK(read(service())->rows == 5);
  }

  TEST_CASE_FIXTURE(rest_world, "one request's identity is gone with it") {
    REQUIRE(read(service()));
    CHECK(read(signed_in(bob))->rows == 1);
    CHECK_FALSE(read(identity{}));
    CHECK(read(signed_in(ada))->rows == 4);
  }

  TEST_CASE_FIXTURE(rest_world, "comparisons compare as the column's type does") {
    const auto second = text_of("select seq from public.messages where content = 'two' "
                                "and user_id = $1",
                                {ada.str()});
    CHECK(contents(filter_of("seq", eq, {second})) == "two");
    CHECK(contents(filter_of("seq", comparison::lt, {second})) == "one");
    CHECK(contents(filter_of("seq", comparison::gt, {second}, true)) == "one|two");
    CHECK(contents(filter_of("content", comparison::like, {"t%"})) == "two|three");
    CHECK(contents(filter_of("content", comparison::ilike, {"T_O"})) == "two");
    CHECK(contents(filter_of("content", comparison::in,
                             {"three", "it's \"four\" \\ % _ ,)", "NULL"})) ==
          "three|it's \"four\" \\ % _ ,)");
    CHECK(contents(filter_of("content", comparison::in, {})) == "");
    CHECK(contents(filter_of("client_id", comparison::is, {"not_null"})) == "");
    CHECK(contents(filter_of("id", eq, {"not a uuid"})).contains("22P02"));
  }

  TEST_CASE_FIXTURE(rest_world, "a window shows part, the count all") {
    query.prefer.count = row_count::exact;
    query.what.limit = 2;
    query.what.offset = 1;
    const auto page = read(signed_in(ada));
    REQUIRE(page);
    CHECK(page->body.contains("two"));
    CHECK(page->rows == 2);
    CHECK(page->total == 4);
    query.what.limit = {};
    query.what.offset = 0;
    query.who = signed_in(ada);
    const auto narrow = open_rest_line(database(), {.max_rows = 3});
    REQUIRE(narrow);
    CHECK(perform(**narrow, query, schema)->rows == 3);
    query.prefer.count = row_count::estimated; // exact while that is cheap
    CHECK(read(signed_in(ada))->total == 4);
    query.prefer.count = row_count::planned;
    CHECK(read(signed_in(ada))->total > 0);
    query.prefer.count = row_count::none;
    CHECK_FALSE(read(signed_in(ada))->total);
  }

  TEST_CASE_FIXTURE(rest_world, "order sorts, with nulls where asked") {
    admin("update public.messages set client_id = content || id::text "
          "where user_id = $1 and content in ('one', 'two')",
          {ada.str()});
    const auto by = column_path{"client_id", {}};
    CHECK(first({"", by, false, {}}) == R"([{"content":"one"}])");
    CHECK(first({"", by, true, {}}) == R"([{"content":"three"}])");
    CHECK(first({"", by, true, false}) == R"([{"content":"two"}])");
    CHECK(first({"", by, false, true}) == R"([{"content":"three"}])");
  }

  TEST_CASE_FIXTURE(rest_world, "embedded rows are under row security, too") {
    query.target = "conversations";
    query.what.columns = {{{"user_id", {}}, {}, {}}};
    query.what.order = {};
    auto& messages = query.what.embedded.emplace_back();
    messages.relation = "messages";
    messages.of.columns = {{{"content", {}}, {}, {}}};
    messages.of.conditions = {filter_of("content", comparison::in, {"two", "secret"})};
    CHECK(body(signed_in(ada), query) ==
          R"([{"user_id":")" + ada.str() + R"(","messages":[{"content":"two"}]}])");
    admin("create policy leak on public.conversations for select to authenticated "
          "using (true)");
    query.what.conditions = {filter_of("id", eq, {room.str()})};
    CHECK(body(signed_in(bob), query) ==
          R"([{"user_id":")" + ada.str() + R"(","messages":[]}])");
    query.what.embedded[0].inner = true;
    CHECK(body(signed_in(bob), query) == "[]");
    admin("drop policy leak on public.conversations");
  }

  TEST_CASE_FIXTURE(rest_world, "an unknown table is told as PostgREST tells it") {
    query.target = "nothing";
    const auto page = read(signed_in(ada));
    REQUIRE_FALSE(page);
    CHECK(page.error().code == errc::not_found);
    CHECK(page.error().reason == "PGRST205");
    CHECK(may_be_outdated(page.error()));
    for (const auto* hidden : {"users", "nodes", "pg_class", "auth.users"}) {
      query.target = hidden;
      CHECK(body(service(), query) == "!PGRST205");
    }
  }

  TEST_CASE_FIXTURE(rest_world, "columns without a grant stay closed") {
    query = request_of(rest_action::read, "inference_jobs", {"params"});
    CHECK(body(signed_in(ada), query) == "!42501");
    query = request_of(rest_action::read, "inference_jobs");
    CHECK(body(signed_in(ada), query) == "!42501");
  }

  TEST_CASE_FIXTURE(rest_world, "nothing a client writes becomes SQL") {
    const auto before = number_of("select count(*) from public.messages");
    for (const std::string attack :
         {"content\" = '' or true; delete from public.messages; --", "' or true --",
          "}', 'x'); --", "$1", "\\", "\"", "%s", "{\"a\"", "*/ drop table x /*"}) {
      CAPTURE(attack);
      CHECK(contents(filter_of("content", eq, {attack})) == "");
      CHECK(contents(filter_of("content", comparison::in, {attack, "one"})) == "one");
      auto bad = query;
      bad.what.conditions = {filter_of(attack, eq, {"x"})};
      CHECK(body(signed_in(ada), bad) == "!42703");
      bad = query;
      bad.what.columns = {{{"content", {}}, attack, {}}};
      bad.what.conditions = {filter_of("content", eq, {"one"})};
      CHECK(body(signed_in(ada), bad).ends_with(R"(:"one"}])"));
      bad.what.columns = {{{"usage", {{attack, false, true}}}, "x", {}}};
      CHECK(body(signed_in(ada), bad) == R"([{"x":null}])");
      auto write = request_of(rest_action::insert, "conversations", {"title"});
      write.body = body_of(R"({"title":"t"})");
      write.columns = {attack};
      CHECK(body(signed_in(ada), write) == "!PGRST204");
      write.columns = {};
      write.prefer.duplicates = on_duplicate::merge;
      write.on_conflict = {attack};
      CHECK(body(signed_in(ada), write) == "!PGRST204");
    }
    CHECK(number_of("select count(*) from public.messages") == before);
  }

  TEST_CASE_FIXTURE(rest_world, "a read cannot write, not even through a function") {
    const auto made =
        temporary_schema{*this,
                         "create function public.sneaky(public.messages) returns text "
                         "language sql volatile as $$ insert into public.conversations "
                         "default values returning id::text $$",
                         "drop function public.sneaky(public.messages)"};
    query.what.columns = {{{"sneaky", {}}, {}, {}}};
    CHECK(body(signed_in(ada), query) == "!25006");
  }

  TEST_CASE_FIXTURE(rest_world, "odd names of tables and columns are just names") {
    const auto made = temporary_schema{
        *this,
        R"(create table public."Odd ""table' where x" (page int, "a.b" int, e int,
             "b" int, "source" int);
           insert into public."Odd ""table' where x" values (1, 2, 3, 4, 5))",
        R"(drop table public."Odd ""table' where x")"};
    query = request_of(rest_action::read, "Odd \"table' where x");
    query.what.conditions = {filter_of("a.b", eq, {"2"})};
    const auto row = std::string{R"({"page":1,"a.b":2,"e":3,"b":4,"source":5})"};
    CHECK(body(identity{}, query) == "[" + row + "]");
    auto write = request_of(rest_action::insert, query.target);
    write.body = body_of(row);
    CHECK(body(identity{}, write) == "[" + row + "]");
    write.prefer.missing_default = true;
    CHECK(body(identity{}, write) == "[" + row + "]");
    write.action = rest_action::update;
    CHECK(run(identity{}, write)->rows == 3);
    query.as = result_shape::csv;
    CHECK(body(identity{}, query) == "page,a.b,e,b,source\n1,2,3,4,5\n1,2,3,4,5\n"
                                     "1,2,3,4,5");
  }

  TEST_CASE_FIXTURE(rest_world, "a hot query is prepared once") {
    const auto made = temporary_schema{
        *this,
        "create function public.prepared() returns bigint language sql stable as "
        "$$ select count(*) from pg_prepared_statements $$",
        "drop function public.prepared"};
    const auto prepared = [&] {
      auto call = request_of(rest_action::call, "prepared");
      call.read_only = true;
      return body(service(), call);
    };
    (void)prepared(); // its own statements
    REQUIRE(read(signed_in(ada)));
    const auto before = prepared();
    query.what.conditions = {filter_of("content", eq, {"one"})};
    REQUIRE(read(signed_in(ada)));
    const auto after = prepared();
    CHECK(after != before);
    for (const auto* other_value : {"two", "three", "four"}) {
      query.what.conditions = {filter_of("content", eq, {other_value})};
      REQUIRE(read(signed_in(bob)));
    }
    CHECK(prepared() == after);
    REQUIRE(read(service())); // another role, another plan
    CHECK(prepared() != after);
  }

  TEST_CASE_FIXTURE(rest_world, "a column may become one of another type") {
    const auto made = temporary_schema{
        *this, "create table public.turns (a int); insert into public.turns values (7)",
        "drop table public.turns"};
    query = request_of(rest_action::read, "turns");
    query.what.conditions = {filter_of("a", eq, {"7"})};
    CHECK(body(identity{}, query) == R"([{"a":7}])");
    prepare(database(), "alter table public.turns alter a type text");
    schema = load();
    CHECK(body(identity{}, query) == R"([{"a":"7"}])");
  }

  TEST_CASE_FIXTURE(rest_world, "a role's own time limit holds, and time zones do") {
    admin("alter role anon set statement_timeout = '30ms'");
    const auto made = temporary_schema{
        *this,
        "create function public.nap(s float8) returns text language sql stable as "
        "$$ select pg_sleep(s)::text || current_setting('timezone') $$",
        "drop function public.nap; alter role anon reset statement_timeout"};
    auto call = request_of(rest_action::call, "nap");
    call.read_only = true;
    call.arguments = {{"s", "5"}};
    CHECK(body(identity{}, call) == "!57014");
    call.who = signed_in(ada);
    const auto hasty = open_rest_line(
        database(), {.statement_timeout = std::chrono::milliseconds{30}});
    REQUIRE(hasty);
    const auto slow = perform(**hasty, call, schema);
    REQUIRE_FALSE(slow);
    CHECK(slow.error().code == errc::timeout);
    call.arguments = {{"s", "0"}};
    call.prefer.time_zone = "Asia/Tokyo";
    CHECK(body(signed_in(ada), call) == "\"Asia/Tokyo\"");
    call.prefer.time_zone = "no/where";
    CHECK(body(signed_in(ada), call) != "\"no/where\"");
    call.prefer.strict = true;
    CHECK(body(signed_in(ada), call) == "!PGRST122");
  }

  TEST_CASE_FIXTURE(rest_world, "a statement can be ended, and the line goes on") {
    const auto made = temporary_schema{
        *this,
        "create function public.doze() returns void language sql stable as "
        "$$ select pg_sleep(20) $$",
        "drop function public.doze"};
    auto call = request_of(rest_action::call, "doze");
    call.read_only = true;
    call.who = signed_in(ada);
    REQUIRE(read(signed_in(ada))); // opens the line
    REQUIRE_FALSE(line->start(std::make_shared<const rest_request>(call), schema,
                              storage::commits::durable));
    // Until the server works on it, there is nothing to be ended.
    while (number_of("select count(*) from pg_stat_activity where query like '%doze%' "
                     "and state = 'active' and usename = 'authenticator'") == 0) {
    }
    line->stopper()();
    auto over = line->go_on();
    for (auto wait = pollfd{line->socket(), POLLIN, 0}; !over; over = line->go_on())
      REQUIRE(::poll(&wait, 1, 10'000) == 1);
    REQUIRE_FALSE(*over);
    CHECK(over->error().sql->sqlstate == "57014");
    line->stopper()(); // nothing is under way: it touches nobody
    CHECK(read(signed_in(bob))->rows == 1);
  }

  TEST_CASE_FIXTURE(rest_world, "a session that ended while idle is noticed") {
    REQUIRE(read(signed_in(ada)));
    admin("select pg_terminate_backend(pid, 5000) from pg_stat_activity "
          "where usename = 'authenticator' and state = 'idle'");
    CHECK(line->gone());
    CHECK_FALSE(line->go_on());
    CHECK(line->lost());
  }

  TEST_CASE_FIXTURE(rest_world, "the description holds what the asker may use") {
    auto root = request_of(rest_action::describe, "http://localhost:8000/rest/v1/");
    root.read_only = true;
    const auto user = body(signed_in(ada), root);
    CHECK(user.contains(R"("swagger":"2.0")"));
    CHECK(user.contains(R"("host":"localhost:8000","basePath":"/rest/v1/")"));
    CHECK(user.contains(R"("/messages":{"get":)"));
    CHECK(user.contains(R"("rowFilter.messages.content")"));
    const auto anon = body(identity{}, root);
    CHECK_FALSE(anon.contains("/messages"));
    CHECK(body(service(), root).contains("/messages"));
  }
}

} // namespace jessica::storage
