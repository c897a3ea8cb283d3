#include "storage/rest_relations.hpp"
#include "storage/rest_statement.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jessica::storage {
namespace {

constexpr auto cap = std::int64_t{1000};
using texts = std::vector<parameter>;

/// messages(id, content, meta, room_id -> rooms.id), and a function of each kind.
[[nodiscard]] rest_schema schema_of_tests() {
  auto made = rest_schema{};
  auto messages = schema_table{"messages",
                               {{"id", "bigint", "nextval('s'::regclass)"},
                                {"content", "text", ""},
                                {"meta", "jsonb", ""},
                                {"words", "tsvector", ""},
                                {"room_id", "bigint", ""}},
                               {"id"},
                               {"shout"}};
  auto rooms =
      schema_table{"rooms", {{"id", "bigint", ""}, {"title", "text", ""}}, {"id"}, {}};
  const auto add = [](std::string name, std::vector<schema_argument> arguments,
                      schema_function::result gives, bool many, bool writes) {
    auto function = schema_function{};
    function.name = std::move(name);
    function.arguments = std::move(arguments);
    function.gives = gives;
    function.many = many;
    function.volatile_ = writes;
    return function;
  };
  using gives = schema_function::result;
  made.functions["add"].push_back(
      add("add", {{"a", "integer", false, false}, {"b", "integer", true, false}},
          gives::scalar, false, false));
  made.functions["send"].push_back(
      add("send", {{"t", "text", false, false}}, gives::nothing, false, true));
  made.functions["list"].push_back(add("list", {}, gives::row, true, false));
  made.functions["list"].back().row = messages;
  made.functions["words"].push_back(
      add("words", {{"w", "text[]", false, true}}, gives::scalar, true, false));
  made.functions["whole"].push_back(
      add("whole", {{"", "json", false, false}}, gives::scalar, false, true));
  for (const auto* type : {"integer", "bigint"})
    made.functions["twice"].push_back(
        add("twice", {{"a", type, false, false}}, gives::scalar, false, false));
  auto faces = faces_by_table{};
  for (const auto* table : {&messages, &rooms}) {
    auto& face =
        faces[table == &messages ? 1 : 2].emplace_back(table_face{table->name, {}});
    for (const auto& column : table->columns)
      face.columns.emplace(column.name, column.name);
  }
  made.tables = {{"messages", messages}, {"rooms", rooms}};
  for (auto& one :
       relationships_of({{"messages_room_fkey", 1, 2, {{"room_id", "id"}}, false}},
                        faces, made.tables))
    made.relationships[one.from].push_back(one);
  return made;
}

[[nodiscard]] rest_request reading() {
  auto what = rest_request{};
  what.target = "messages";
  what.read_only = true;
  what.what.columns = {{{"*", {}}, {}, {}}};
  return what;
}

[[nodiscard]] rest_request writing(rest_action action, json_body body) {
  auto what = reading();
  what.read_only = false;
  what.action = action;
  what.body = std::move(body);
  return what;
}

[[nodiscard]] json_body body_of(std::string text, std::vector<std::string> keys) {
  return {std::move(text), false, 1, true, true, std::move(keys)};
}

[[nodiscard]] rest_request filtered(column_filter filter) {
  auto what = reading();
  auto one = condition{};
  one.filter = std::move(filter);
  what.what.conditions.push_back(std::move(one));
  return what;
}

[[nodiscard]] column_filter compare(column_path what, comparison op,
                                    std::vector<std::string> values) {
  auto filter = column_filter{};
  filter.what = std::move(what);
  filter.op = op;
  filter.values = std::move(values);
  return filter;
}

[[nodiscard]] rest_statement built(const rest_request& what) {
  auto made = build_statement(what, schema_of_tests(), cap);
  if (!made)
    FAIL(made.error().what);
  return std::move(*made);
}

/// The code of the refusal; empty: it was built.
[[nodiscard]] std::string refusal(const rest_request& what) {
  const auto made = build_statement(what, schema_of_tests(), cap);
  return made                          ? std::string{}
         : made.error().reason.empty() ? std::string{name(made.error().code)}
                                       : made.error().reason;
}

/// The rows' query of a read.
[[nodiscard]] std::string rows_of(const rest_request& what) {
  const auto sql = built(what).main.sql;
  constexpr auto before = std::string_view{"true), '') from ("};
  const auto from = sql.find(before) + before.size();
  return sql.substr(from, sql.rfind(") page") - from);
}

/// What stands between "where" and "limit".
[[nodiscard]] std::string where_of(const column_filter& filter) {
  const auto sql = rows_of(filtered(filter));
  const auto from = sql.find(" where ") + 7;
  return sql.substr(from, sql.find(" limit ") - from);
}

const auto content = column_path{"content", {}};

} // namespace

TEST_SUITE("storage.rest_statement") {
  TEST_CASE("a bare table gives all columns up to the cap, without a count") {
    const auto made = built(reading());
    CHECK(rows_of(reading()) ==
          R"(select t0.* from "public"."messages" t0 limit $1::bigint)");
    CHECK(made.main.sql.starts_with(
        "select coalesce(json_agg(page.*), '[]')::text, count(*), null::bigint, "));
    CHECK(made.main.parameters == texts{"1000"});
    CHECK(made.mode == access::read_only);
    CHECK_FALSE(made.estimate);
  }

  TEST_CASE("everything at once: columns, filters, order, window and count") {
    auto what = filtered(compare({"id", {}}, comparison::gte, {"5"}));
    what.what.conditions[0].filter.negated = true;
    what.what.columns = {{content, "text", ""}, {{"id", {}}, "", "text"}};
    what.what.order = {{"", {"id", {}}, true, {}},
                       {"", content, false, true},
                       {"", content, true, false}};
    what.what.limit = 10;
    what.what.offset = 20;
    what.prefer.count = row_count::exact;
    CHECK(rows_of(what) ==
          R"(select t0."content" as "text", cast(t0."id" as text) as "id" from )"
          R"("public"."messages" t0 where not (t0."id" >= $1) order by t0."id" desc, )"
          R"(t0."content" nulls first, t0."content" desc nulls last )"
          R"(limit $2::bigint offset $3::bigint)");
    const auto made = built(what);
    CHECK(made.main.sql.contains(
        R"((select count(*) from (select 1 from "public"."messages" t1 where )"
        R"(not (t1."id" >= $4)) c))"));
    CHECK(made.main.parameters == texts{"5", "10", "20", "5"});
  }

  TEST_CASE("each comparison has its operator and one bound value") {
    const auto check = [](comparison op, std::string_view sql) {
      CHECK(where_of(compare(content, op, {"v"})) ==
            "(t0.\"content\" " + std::string{sql} + " $1)");
    };
    check(comparison::eq, "=");
    check(comparison::neq, "<>");
    check(comparison::gt, ">");
    check(comparison::gte, ">=");
    check(comparison::lt, "<");
    check(comparison::lte, "<=");
    check(comparison::like, "like");
    check(comparison::ilike, "ilike");
    check(comparison::match, "~");
    check(comparison::imatch, "~*");
    check(comparison::isdistinct, "is distinct from");
    check(comparison::cs, "@>");
    check(comparison::cd, "<@");
    check(comparison::ov, "&&");
    check(comparison::sl, "<<");
    check(comparison::sr, ">>");
    check(comparison::nxr, "&<");
    check(comparison::nxl, "&>");
    check(comparison::adj, "-|-");
  }

  TEST_CASE("lists and quantifiers bind one array") {
    const auto items = std::vector<parameter>{"1", "x,y", "q\"}", ""};
    const auto filter = compare(content, comparison::in, {"1", "x,y", "q\"}", ""});
    CHECK(where_of(filter) == "(t0.\"content\" = any($1))");
    CHECK(built(filtered(filter)).main.parameters.front() == array_literal(items));
    auto any = compare(content, comparison::like, {"{a,b}"});
    any.over = quantifier::any;
    CHECK(where_of(any) == "(t0.\"content\" like any($1))");
    any.over = quantifier::all;
    CHECK(where_of(any) == "(t0.\"content\" like all($1))");
    CHECK(refusal(filtered(compare(content, comparison::eq, {"a", "b"}))) ==
          "invalid_input");
    CHECK(refusal(filtered(compare(content, comparison::eq, {}))) == "invalid_input");
  }

  TEST_CASE("is knows its five truths and no other word") {
    for (const auto& [word, sql] :
         {std::pair{"null", "null"}, std::pair{"not_null", "not null"},
          std::pair{"true", "true"}, std::pair{"false", "false"},
          std::pair{"unknown", "unknown"}})
      CHECK(where_of(compare(content, comparison::is, {word})) ==
            "(t0.\"content\" is " + std::string{sql} + ")");
    CHECK(refusal(filtered(compare(content, comparison::is, {"null; drop table x"}))) ==
          "invalid_input");
    CHECK(refusal(filtered(compare(content, comparison::is, {}))) == "invalid_input");
  }

  TEST_CASE("a text search takes what is no tsvector for text") {
    auto search = compare({"words", {}}, comparison::fts, {"x"});
    CHECK(where_of(search) == "(t0.\"words\" @@ to_tsquery($1))");
    search.config = "german";
    CHECK(where_of(search) == "(t0.\"words\" @@ to_tsquery($1::regconfig, $2))");
    search.what = content;
    search.op = comparison::wfts;
    CHECK(where_of(search) == "(to_tsvector($1::regconfig, t0.\"content\") @@ "
                              "websearch_to_tsquery($1::regconfig, $2))");
  }

  TEST_CASE("JSON paths bind their keys") {
    auto path = column_path{"meta", {{"a'b", false, false}, {"0", true, true}}};
    CHECK(where_of(compare(path, comparison::eq, {"v"})) ==
          "((t0.\"meta\" -> $1::text ->> $2::int) = $3)");
    CHECK(built(filtered(compare(path, comparison::eq, {"v"}))).main.parameters ==
          texts{"a'b", "0", "v", "1000"});
    path.column = "content";
    CHECK(where_of(compare(path, comparison::eq, {"v"})).contains("to_jsonb(t0.\"con"));
    auto what = reading();
    what.what.columns = {{path, "", ""}};
    CHECK(rows_of(what).contains("as \"a'b\" from"));
  }

  TEST_CASE("trees keep their parentheses") {
    auto what = filtered(compare(content, comparison::eq, {"x"}));
    auto any = condition{};
    any.is = condition::kind::any;
    any.negated = true;
    any.parts = {what.what.conditions[0], what.what.conditions[0]};
    auto all = condition{};
    all.is = condition::kind::all;
    all.parts = {any, what.what.conditions[0]};
    what.what.conditions = {all};
    CHECK(rows_of(what).contains("where (not ((t0.\"content\" = $1) or (t0.\"content\" "
                                 "= $2)) and (t0.\"content\" = $3)) limit"));
  }

  TEST_CASE("embedded rows are one query each, joined on the key") {
    auto what = reading();
    auto rooms = embedding{};
    rooms.relation = "rooms";
    rooms.of.columns = {{{"title", {}}, "", ""}};
    what.what.embedded = {rooms};
    CHECK(rows_of(what) ==
          R"(select t0.*, (select row_to_json(e.*) from (select t1."title" as "title" )"
          R"(from "public"."rooms" t1 where t1."id" = t0."room_id" limit 1) e) as )"
          R"("rooms" from "public"."messages" t0 limit $1::bigint)");
    what.target = "rooms";
    what.what.embedded[0].relation = "messages";
    what.what.embedded[0].alias = "m";
    what.what.embedded[0].of.columns = {{content, "", ""}};
    CHECK(rows_of(what).contains(
        R"((select coalesce(json_agg(e.*), '[]') from (select t1."content" as )"
        R"("content" from "public"."messages" t1 where t1."room_id" = t0."id" )"
        R"(limit $1::bigint) e) as "m")"));
  }

  TEST_CASE("an inner embedding is a condition, also of the count") {
    auto what = reading();
    auto rooms = embedding{};
    rooms.relation = "room_id";
    rooms.inner = true;
    what.what.embedded = {rooms};
    what.prefer.count = row_count::exact;
    const auto sql = built(what).main.sql;
    CHECK(rows_of(what).contains(R"(where exists (select 1 from "public"."rooms" )"));
    CHECK(sql.find("exists") != sql.rfind("exists"));
    what.what.embedded[0].relation = "nothing";
    CHECK(refusal(what) == "PGRST200");
  }

  TEST_CASE("counts that are guessed ask the planner, with parameters of their own") {
    auto what = filtered(compare(content, comparison::eq, {"x"}));
    what.prefer.count = row_count::estimated;
    const auto made = built(what);
    REQUIRE(made.estimate);
    CHECK(made.estimate->sql == "explain (format json) select 1 from "
                                "\"public\".\"messages\" t0 where (t0.\"content\" = "
                                "$1)");
    CHECK(made.estimate->parameters == texts{"x"});
    CHECK(made.main.sql.contains(" limit $"));
    what.prefer.count = row_count::planned;
    CHECK(built(what).estimate);
    CHECK(built(what).main.sql.contains("count(*), null::bigint"));
  }

  TEST_CASE("an insert names its columns and types, and returns nothing unasked") {
    const auto made =
        built(writing(rest_action::insert, body_of(R"({"content":"x"})", {"content"})));
    CHECK(made.mode == access::read_write);
    CHECK(made.main.sql.starts_with(
        R"(with source as (insert into "public"."messages" as t1 ("content") select )"
        R"(b."content" from json_to_recordset($1::json) as b ("content" text) )"
        R"(returning 1) select '', count(*))"));
    CHECK(made.main.parameters == texts{R"([{"content":"x"}])"});
  }

  TEST_CASE("one flat object is written value by value, without JSON") {
    auto what = writing(rest_action::insert,
                        body_of(R"({"content":"x","id":null})", {"content", "id"}));
    what.body.flat = {{"content", "x"}, {"id", std::nullopt}};
    const auto made = built(what);
    CHECK(made.main.sql.starts_with(
        R"(with source as (insert into "public"."messages" as t1 ("content", "id") )"
        R"(values ($1, $2) returning 1) select)"));
    CHECK(made.main.parameters == std::vector<parameter>{"x", std::nullopt});
    what.action = rest_action::update;
    CHECK(built(what).main.sql.contains(
        R"(update "public"."messages" as t1 set "content" = $1, "id" = $2)"));
  }

  TEST_CASE("what comes back is what the answer needs") {
    auto what =
        writing(rest_action::update, body_of(R"({"content":"x"})", {"content"}));
    what.prefer.wish = result_wish::representation;
    what.what.columns = {{{"id", {}}, "n", ""}};
    auto rooms = embedding{};
    rooms.relation = "rooms";
    rooms.of.columns = {{{"title", {}}, "", ""}};
    what.what.embedded = {rooms};
    const auto sql = built(what).main.sql;
    CHECK(sql.contains(R"(returning t1."id", t1."room_id") select)"));
    CHECK(sql.contains(R"(from source t0)"));
  }

  TEST_CASE("upserts count what was there; defaults are each row's own") {
    auto what = writing(rest_action::insert, body_of("{}", {"id", "content"}));
    what.prefer.duplicates = on_duplicate::merge;
    what.prefer.missing_default = true;
    const auto sql = built(what).main.sql;
    CHECK(sql.contains(R"(on conflict ("id") do update set "id" = excluded."id", )"
                       R"("content" = excluded."content" where set_config()"));
    CHECK(sql.contains("(select json_agg(jsonb_build_object('id', "
                       "nextval('s'::regclass)) || e.value) from"));
    what.prefer.duplicates = on_duplicate::ignore;
    what.on_conflict = {"content"};
    CHECK(built(what).main.sql.contains("on conflict (\"content\") do nothing"));
    what.on_conflict = {"x"};
    CHECK(refusal(what) == "PGRST204");
  }

  TEST_CASE("bodies that are no rows are refused") {
    auto broken = body_of("5", {});
    broken.objects = false;
    CHECK(refusal(writing(rest_action::insert, broken)) == "PGRST102");
    auto uneven = body_of("[]", {"content"});
    uneven.uniform = false;
    CHECK(refusal(writing(rest_action::insert, uneven)) == "PGRST102");
    auto listed = writing(rest_action::insert, uneven);
    listed.columns = {"content"};
    CHECK(refusal(listed).empty());
    CHECK(refusal(writing(rest_action::insert, body_of("{}", {"x"}))) == "PGRST204");
  }

  TEST_CASE("deletes and updates have conditions; an update of nothing is none") {
    auto what = filtered(compare({"id", {}}, comparison::eq, {"1"}));
    what.action = rest_action::remove;
    CHECK(built(what).main.sql.contains(
        R"(delete from "public"."messages" as t1 where (t1."id" = $1) returning 1)"));
    what.action = rest_action::update;
    CHECK(built(what).main.sql.contains("where false"));
    CHECK_FALSE(built(what).main.sql.contains("update \"public\""));
  }

  TEST_CASE("calls name their arguments, by body or by query") {
    auto what = reading();
    what.action = rest_action::call;
    what.target = "add";
    what.arguments = {{"a", "1"}, {"a", "2"}};
    auto made = built(what);
    CHECK(made.mode == access::read_only);
    CHECK(made.main.sql.contains(
        R"(from "public"."add"("a" => $1::integer) t1 (value))"));
    CHECK(made.main.parameters.front() == "2");
    what.read_only = false;
    what.body = body_of(R"({"a":1,"b":2})", {"a", "b"});
    made = built(what);
    CHECK(made.mode == access::read_only); // it is stable
    CHECK(made.main.sql.contains(
        R"(json_to_record($1::json) as b ("a" integer, "b" integer), lateral )"
        R"("public"."add"("a" => b."a", "b" => b."b") t1 (value))"));
    what.target = "send";
    what.body = body_of(R"({"t":"x"})", {"t"});
    CHECK(built(what).mode == access::read_write);
    CHECK(built(what).nothing);
    what.target = "whole";
    CHECK(built(what).main.sql.contains(R"("public"."whole"($1::json))"));
    what.read_only = true;
    what.target = "words";
    what.arguments = {{"w", "a"}, {"w", "b"}};
    CHECK(built(what).main.sql.contains(R"(variadic "w" => $1::text[])"));
    CHECK(built(what).main.parameters.front() == R"({"a","b"})");
  }

  TEST_CASE("functions are found by their arguments, or told apart not at all") {
    auto what = reading();
    what.action = rest_action::call;
    what.target = "add";
    CHECK(refusal(what) == "PGRST202");
    what.arguments = {{"a", "1"}, {"z", "1"}};
    CHECK(refusal(what) == "PGRST202");
    what.target = "twice";
    what.arguments = {{"a", "1"}};
    CHECK(refusal(what) == "PGRST203");
    what.target = "whole";
    CHECK(refusal(what) == "PGRST202"); // a query is no body
    what.target = "";
    CHECK(refusal(what) == "PGRST202");
  }

  TEST_CASE("nothing a client writes becomes SQL") {
    for (const auto* nasty :
         {"id\" = '' or true; drop table messages; --", "'", "\\", "$1", "*/", "\"",
          "id; select 1", "public.messages", "ID", " id", "t0.id", ""}) {
      CAPTURE(nasty);
      auto columns = reading();
      columns.what.columns = {{{nasty, {}}, "", ""}};
      CHECK(refusal(columns) == "42703");
      CHECK(refusal(filtered(compare({nasty, {}}, comparison::eq, {"1"}))) == "42703");
      auto order = reading();
      order.what.order = {{"", {nasty, {}}, false, {}}};
      CHECK(refusal(order) == "42703");
      order.what.order = {{nasty, {"id", {}}, false, {}}};
      CHECK(refusal(order) == (std::string_view{nasty}.empty() ? "" : "PGRST108"));
      auto table = reading();
      table.target = nasty;
      CHECK(refusal(table) == "PGRST205");
      auto embedded = reading();
      embedded.what.embedded.emplace_back().relation = nasty;
      CHECK(refusal(embedded) == "PGRST200");
      CHECK(refusal(writing(rest_action::insert, body_of("{}", {nasty}))) ==
            "PGRST204");
      auto value = filtered(compare(content, comparison::eq, {nasty}));
      value.what.columns = {{content, nasty, ""}};
      const auto made = built(value);
      CHECK(made.main.parameters.front() == nasty);
      auto cast = reading();
      cast.what.columns = {{content, "", std::string{nasty} + " "}};
      CHECK(refusal(cast) == "invalid_input");
    }
  }

  TEST_CASE("an alias cannot leave its quotes") {
    auto what = reading();
    what.what.columns = {{content, "a\", (select 1) as \"b", ""}};
    CHECK(rows_of(what).contains("as \"a\"\", (select 1) as \"\"b\" from"));
  }
}

} // namespace jessica::storage
