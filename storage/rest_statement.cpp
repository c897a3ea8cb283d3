#include "storage/rest_statement.hpp"

#include "storage/rest_fault.hpp"
#include "storage/rest_hint.hpp"
#include "storage/rest_openapi.hpp"
#include "storage/rest_pieces.hpp"

#include <algorithm>
#include <format>
#include <utility>

namespace jessica::storage {
namespace {

/// The body as text, made of the rows of `page`.
[[nodiscard]] std::string body_sql(const rest_request& what, bool scalar) {
  if (what.head)
    return "''";
  const auto* row = scalar             ? "page.value"
                    : what.strip_nulls ? "json_strip_nulls(row_to_json(page.*))"
                                       : "page.*";
  const auto rows = std::string{"json_agg("} + row + ")";
  switch (what.as) {
  case result_shape::array:
    break;
  case result_shape::object:
    return "coalesce((" + rows + " -> 0)::text, 'null')";
  case result_shape::csv:
    // A row's text form, without its parentheses, is a line.
    return R"(coalesce((select string_agg(k, ',') from json_object_keys((
      json_agg(page.*) -> 0)) k) || e'\n', '') || coalesce(string_agg(
      substring((page.*)::text, 2, length((page.*)::text) - 2), e'\n'), ''))";
  }
  return "coalesce(" + rows + ", '[]')::text";
}

[[nodiscard]] std::unexpected<error> no_table(const rest_request& what,
                                              const rest_schema& schema) {
  return rest_fault(errc::not_found, "PGRST205",
                    std::format("Could not find the table '{}.{}' in the schema cache",
                                what.schema, what.target),
                    {}, table_hint(schema, what.target));
}

/// " where" of a count, as rows_sql has it.
[[nodiscard]] std::string counted_sql(rest_context& to, const sql_row& of,
                                      const std::string& from, const selection& what) {
  return "select 1 from " + from + " " + of.alias + where_sql(to, of, what, false);
}

/// The total of a read, and what the planner thinks of it.
struct total_sql {
  std::string expression = "null::bigint";
  std::optional<result<statement>> estimate;
};
[[nodiscard]] total_sql total_of(rest_context& to, const rest_request& what,
                                 const sql_row& of, const std::string& from) {
  auto made = total_sql{};
  if (what.prefer.count == row_count::none)
    return made;
  const auto counted = sql_row{of.table, to.alias()};
  if (what.prefer.count == row_count::exact)
    made.expression =
        "(select count(*) from (" + counted_sql(to, counted, from, what.what) + ") c)";
  if (what.prefer.count == row_count::estimated)
    made.expression = "(select count(*) from (" +
                      counted_sql(to, counted, from, what.what) + " limit " +
                      to.bind(std::to_string(to.max_rows() + 1)) + "::bigint) c)";
  if (what.prefer.count != row_count::exact) {
    auto own = rest_context{to.schema(), to.max_rows()};
    auto sql = counted_sql(own, sql_row{of.table, own.alias()}, from, what.what);
    made.estimate = own.finish("explain (format json) " + sql);
  }
  return made;
}

[[nodiscard]] result<rest_statement>
build_read(const rest_request& what, const rest_schema& schema, std::int64_t max_rows) {
  const auto* table = schema.table(what.target);
  if (table == nullptr)
    return no_table(what, schema);
  auto to = rest_context{schema, max_rows};
  const auto row = sql_row{*table, to.alias()};
  const auto from = exposed_name(table->name);
  const auto rows = rows_sql(to, row, from, what.what, {});
  auto total = total_of(to, what, row, from);
  auto main = to.finish(answer_sql(what, {rows, total.expression, {}, false}));
  if (!main)
    return std::unexpected{std::move(main.error())};
  auto made = rest_statement{};
  made.main = std::move(*main);
  if (total.estimate && *total.estimate)
    made.estimate = std::move(**total.estimate);
  return made;
}

[[nodiscard]] result<rest_statement> build_write(const rest_request& what,
                                                 const rest_schema& schema,
                                                 std::int64_t max_rows) {
  const auto* table = schema.table(what.target);
  if (table == nullptr)
    return no_table(what, schema);
  auto to = rest_context{schema, max_rows};
  auto made = rest_statement{};
  made.mode = access::read_write;
  const auto row = sql_row{*table, to.alias()};
  auto returned = std::vector<std::string>{};
  if (what.prefer.wants_rows())
    returned = needed_columns(to, row, what.what);
  else if (what.prefer.wish == result_wish::headers_only &&
           what.action == rest_action::insert)
    returned = made.key = table->key;
  const auto source = write_sql(to, what, *table, returned);
  const auto rows = what.prefer.wants_rows()
                        ? rows_sql(to, row, "source", what.what, {false, false})
                        : std::string{"select * from source"};
  const auto parts = answer_parts{.rows = rows, .key = made.key};
  auto main = to.finish("with source as (" + source + ") " + answer_sql(what, parts));
  if (!main)
    return std::unexpected{std::move(main.error())};
  made.main = std::move(*main);
  return made;
}

/// The rows of a call, as a query over `source`.
[[nodiscard]] std::string called_rows(rest_context& to, const rest_request& what,
                                      const sql_row& row,
                                      const schema_function& function) {
  if (function.gives == schema_function::result::row)
    return rows_sql(to, row, "source", what.what, {true, function.many});
  return "select * from source" +
         (function.many ? window_sql(to, what.what) : std::string{});
}

[[nodiscard]] result<rest_statement>
build_call(const rest_request& what, const rest_schema& schema, std::int64_t max_rows) {
  const auto found = find_function(schema, what);
  if (!found)
    return std::unexpected{found.error()};
  const auto& function = *found->function;
  using gives = schema_function::result;
  auto to = rest_context{schema, max_rows};
  const auto row = sql_row{function.row, to.alias()};
  const auto scalar = function.gives != gives::row;
  const auto called = to.alias();
  auto source = scalar ? "select " + called + ".value" : "select " + called + ".*";
  source += call_sql(to, what, *found, called + (scalar ? " (value)" : ""));
  const auto rows = called_rows(to, what, row, function);
  auto total = std::string{"null::bigint"};
  if (what.prefer.count != row_count::none) {
    const auto counted = sql_row{function.row, to.alias()};
    total = "(select count(*) from source " + counted.alias +
            (scalar ? std::string{} : where_sql(to, counted, what.what, false)) + ")";
  }
  auto shaped = what;
  if (!function.many && shaped.as == result_shape::array)
    shaped.as = result_shape::object;
  if (function.gives == gives::nothing)
    shaped.head = true;
  auto main = to.finish("with source as (" + source + ") " +
                        answer_sql(shaped, {rows, total, {}, scalar}));
  if (!main)
    return std::unexpected{std::move(main.error())};
  auto made = rest_statement{};
  made.main = std::move(*main);
  made.nothing = function.gives == gives::nothing;
  made.mode =
      what.read_only || !function.volatile_ ? access::read_only : access::read_write;
  return made;
}

} // namespace

std::string answer_sql(const rest_request& what, const answer_parts& parts) {
  const auto writes = what.action == rest_action::insert ||
                      what.action == rest_action::update ||
                      what.action == rest_action::remove;
  const auto silent = writes && !what.prefer.wants_rows();
  auto text = "select " + (silent ? std::string{"''"} : body_sql(what, parts.scalar)) +
              ", count(*), " + parts.total +
              ", nullif(current_setting('response.headers', true), '')"
              ", nullif(current_setting('response.status', true), '')"
              ", nullif(current_setting('jessica.updated', true), '')";
  for (const auto& name : parts.key)
    text += ", min(page." + quoted_name(name) + "::text)";
  return text + " from (" + parts.rows + ") page";
}

result<rest_statement> build_statement(const rest_request& what,
                                       const rest_schema& schema,
                                       std::int64_t max_rows) {
  switch (what.action) {
  case rest_action::read:
    return build_read(what, schema, max_rows);
  case rest_action::insert:
  case rest_action::update:
  case rest_action::remove:
    return build_write(what, schema, max_rows);
  case rest_action::describe: {
    auto made = rest_statement{};
    made.main = rights_statement();
    return made;
  }
  case rest_action::call:
    break;
  }
  return build_call(what, schema, max_rows);
}

} // namespace jessica::storage
