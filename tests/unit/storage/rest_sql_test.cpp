#include "storage/rest_sql.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::storage {
namespace {

constexpr auto cap = std::int64_t{1000};

[[nodiscard]] table_query messages() {
  auto query = table_query{};
  query.table = "messages";
  return query;
}

[[nodiscard]] table_query filtered(column_filter filter) {
  auto query = messages();
  query.filters.push_back(std::move(filter));
  return query;
}

[[nodiscard]] statement built(const table_query& query) {
  auto made = build_select(query, cap);
  REQUIRE(made);
  return std::move(*made);
}

[[nodiscard]] bool refused(const table_query& query) {
  const auto made = build_select(query, cap);
  return !made && made.error().code == errc::invalid_input;
}

/// What stands between "where" and "limit".
[[nodiscard]] std::string condition(const column_filter& filter) {
  const auto sql = built(filtered(filter)).sql;
  const auto from = sql.find(" where ") + 7;
  return sql.substr(from, sql.find(" limit ") - from);
}

using texts = std::vector<parameter>;

} // namespace

TEST_SUITE("storage.rest_sql") {
  TEST_CASE("a bare table gives all columns up to the cap, without a count") {
    const auto made = built(messages());
    CHECK(made.sql == "select coalesce(json_agg(page.*), '[]')::text, count(*), "
                      "null::bigint from (select \"messages\".* from "
                      "\"public\".\"messages\" limit $1::bigint offset $2::bigint) "
                      "page");
    CHECK(made.parameters == texts{"1000", "0"});
  }

  TEST_CASE("everything at once: columns, filters, order, window and count") {
    auto query = messages();
    query.columns = {{"id", "", ""}, {"content", "text", ""}, {"seq", "", "text"}};
    query.filters = {{"role", comparison::eq, false, {"user"}},
                     {"seq", comparison::gte, true, {"5"}}};
    query.order = {{"seq", true, {}}, {"id", false, true}, {"role", true, false}};
    query.limit = 10;
    query.offset = 20;
    query.count = row_count::exact;
    const auto made = built(query);
    CHECK(made.sql ==
          "select coalesce(json_agg(page.*), '[]')::text, count(*), "
          "(select count(*) from \"public\".\"messages\" where "
          "(\"messages\".\"role\" = $1) and not (\"messages\".\"seq\" >= $2)) "
          "from (select \"messages\".\"id\" as \"id\", \"messages\".\"content\" as "
          "\"text\", cast(\"messages\".\"seq\" as text) as \"seq\" from "
          "\"public\".\"messages\" where (\"messages\".\"role\" = $1) and not "
          "(\"messages\".\"seq\" >= $2) order by \"messages\".\"seq\" desc, "
          "\"messages\".\"id\" nulls first, \"messages\".\"role\" desc nulls last "
          "limit $3::bigint offset $4::bigint) page");
    CHECK(made.parameters == texts{"user", "5", "10", "20"});
  }

  TEST_CASE("each comparison has its operator and one bound value") {
    const auto check = [](comparison op, std::string_view sql) {
      CHECK(condition({"a", op, false, {"v"}}) ==
            "(\"messages\".\"a\" " + std::string{sql} + " $1)");
    };
    check(comparison::eq, "=");
    check(comparison::neq, "<>");
    check(comparison::gt, ">");
    check(comparison::gte, ">=");
    check(comparison::lt, "<");
    check(comparison::lte, "<=");
    check(comparison::like, "like");
    check(comparison::ilike, "ilike");
  }

  TEST_CASE("in binds one array, whatever its values hold") {
    const auto filter =
        column_filter{"a", comparison::in, false, {"1", "x,y", "q\"}", ""}};
    CHECK(condition(filter) == "(\"messages\".\"a\" = any($1))");
    const auto items = std::vector<parameter>{"1", "x,y", "q\"}", ""};
    CHECK(built(filtered(filter)).parameters.front() == array_literal(items));
    CHECK(built(filtered({"a", comparison::in, false, {}})).parameters.front() == "{}");
  }

  TEST_CASE("is knows its five truths and no other word") {
    CHECK(condition({"a", comparison::is, false, {"null"}}) ==
          "(\"messages\".\"a\" is null)");
    CHECK(condition({"a", comparison::is, true, {"not_null"}}) ==
          "not (\"messages\".\"a\" is not null)");
    CHECK(condition({"a", comparison::is, false, {"true"}}).contains(" is true)"));
    CHECK(condition({"a", comparison::is, false, {"false"}}).contains(" is false)"));
    CHECK(
        condition({"a", comparison::is, false, {"unknown"}}).contains(" is unknown)"));
    CHECK(refused(filtered({"a", comparison::is, false, {"null; drop table x"}})));
    CHECK(refused(filtered({"a", comparison::is, false, {}})));
  }

  TEST_CASE("names cannot leave their quotes") {
    auto query = messages();
    query.schema = "s\"x";
    query.table = "t\"; drop table y; --";
    query.columns = {{"c\"", "a\"\"b", ""}};
    query.filters = {{"f\" = 1 or \"1\"", comparison::eq, false, {"'; select 1; --"}}};
    query.order = {{"o\" desc; --", false, {}}};
    const auto made = built(query);
    CHECK(made.sql.contains("from \"s\"\"x\".\"t\"\"; drop table y; --\" where"));
    CHECK(made.sql.contains(".\"c\"\"\" as \"a\"\"\"\"b\" from"));
    CHECK(made.sql.contains(".\"f\"\" = 1 or \"\"1\"\"\" = $1)"));
    CHECK(made.sql.contains("order by \"t\"\"; drop table y; --\".\"o\"\" desc; --\""));
    CHECK_FALSE(made.sql.contains("select 1"));
    CHECK(made.parameters.front() == "'; select 1; --");
  }

  TEST_CASE("empty names and zero bytes are refused") {
    const auto zero = std::string{"a\0b", 3};
    auto query = messages();
    query.table = "";
    CHECK(refused(query));
    query = messages();
    query.table = zero;
    CHECK(refused(query));
    query = messages();
    query.columns = {{"id", zero, ""}};
    CHECK(refused(query));
    CHECK(refused(filtered({zero, comparison::eq, false, {"1"}})));
    query = messages();
    query.order = {{"", false, {}}};
    CHECK(refused(query));
  }

  TEST_CASE("a cast is a type's bare name") {
    auto query = messages();
    query.columns = {{"id", "", "text) from auth.users --"}};
    CHECK(refused(query));
    query.columns = {{"id", "", "int8"}};
    CHECK(built(query).sql.contains("cast(\"messages\".\"id\" as int8) as \"id\""));
  }

  TEST_CASE("a star among columns stays a star") {
    auto query = messages();
    query.columns = {{"*", "", ""}, {"id", "again", ""}};
    CHECK(built(query).sql.contains(
        "(select \"messages\".*, \"messages\".\"id\" as \"again\" from"));
  }

  TEST_CASE("a comparison with no value or with two is refused") {
    CHECK(refused(filtered({"a", comparison::eq, false, {}})));
    CHECK(refused(filtered({"a", comparison::like, false, {"1", "2"}})));
  }

  TEST_CASE("the limit never passes the cap and is never negative") {
    auto query = messages();
    query.limit = 5000;
    CHECK(built(query).parameters.front() == "1000");
    query.limit = 0;
    CHECK(built(query).parameters.front() == "0");
    query.limit = -3;
    CHECK(built(query).parameters.front() == "0");
  }
}

} // namespace jessica::storage
