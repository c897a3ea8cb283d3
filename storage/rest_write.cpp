// insert, update and delete as SQL.
#include "storage/rest_fault.hpp"
#include "storage/rest_pieces.hpp"

#include <algorithm>
#include <array>
#include <format>
#include <string_view>
#include <utility>

namespace jessica::storage {
namespace {

using namespace std::string_view_literals;

/// The names as columns of the table, each once; refuses unknown ones.
[[nodiscard]] std::vector<const schema_column*>
find_columns(rest_context& to, const schema_table& table,
             const std::vector<std::string>& names) {
  auto found = std::vector<const schema_column*>{};
  for (const auto& name : names) {
    const auto* column = table.find(name);
    if (column == nullptr)
      to.refuse(rest_fault(errc::invalid_input, "PGRST204",
                           std::format("Could not find the '{}' column of '{}' in the "
                                       "schema cache",
                                       name, table.name)));
    else if (!std::ranges::contains(found, column))
      found.push_back(column);
  }
  return found;
}

/// The columns a body writes.
[[nodiscard]] std::vector<const schema_column*>
written_columns(rest_context& to, const rest_request& what, const schema_table& table) {
  if (!what.body.objects)
    to.refuse(rest_fault(errc::invalid_input, "PGRST102",
                         what.body.array ? "All object keys must match"
                                         : "Empty or invalid json"));
  if (what.columns)
    return find_columns(to, table, *what.columns);
  if (!what.body.uniform)
    to.refuse(
        rest_fault(errc::invalid_input, "PGRST102", "All object keys must match"));
  return find_columns(to, table, what.body.keys);
}

/// Types that read a JSON scalar's characters as json_to_recordset does. Not json,
/// whose strings keep their quotes, and no type that somebody made.
[[nodiscard]] bool takes_characters(std::string_view type) {
  static constexpr auto names = std::to_array<std::string_view>(
      {"text", "uuid", "boolean", "smallint", "integer", "bigint", "numeric", "real",
       "double precision", "character", "date", "time", "timestamp", "interval",
       "bytea", "inet"});
  return !type.ends_with("[]") && std::ranges::any_of(names, [&](auto name) {
    return type.starts_with(name) &&
           (type.size() == name.size() || " ("sv.contains(type[name.size()]));
  });
}

[[nodiscard]] const json_field* find_field(const json_body& in, std::string_view key) {
  const auto found = std::ranges::find(*in.flat, key, &json_field::key);
  return found == in.flat->end() ? nullptr : &*found;
}

/// One flat object needs no JSON in the database, which is what an insert's SQL costs
/// most: each value is a parameter.
[[nodiscard]] bool is_flat(const rest_request& what,
                           const std::vector<const schema_column*>& columns) {
  const auto defaults = what.prefer.missing_default.value_or(false);
  return what.body.flat && std::ranges::all_of(columns, [&](const auto* column) {
           return takes_characters(column->type) &&
                  !(defaults && find_field(what.body, column->name) == nullptr);
         });
}

[[nodiscard]] std::string flat_value(rest_context& to, const rest_request& what,
                                     const schema_column& column) {
  const auto* field = find_field(what.body, column.name);
  return to.bind(field != nullptr ? field->value : std::nullopt);
}

template <class Each>
[[nodiscard]] std::string list(const std::vector<const schema_column*>& columns,
                               Each each) {
  auto text = std::string{};
  for (const auto* column : columns)
    text += (text.empty() ? "" : ", ") + each(*column);
  return text;
}

/// The body as a JSON array of objects, in SQL; keys that a row lacks have their
/// defaults when asked for.
[[nodiscard]] std::string body_sql(rest_context& to, const rest_request& what,
                                   const std::vector<const schema_column*>& columns) {
  auto body =
      to.bind(what.body.array ? what.body.text : "[" + what.body.text + "]") + "::json";
  if (!what.prefer.missing_default.value_or(false))
    return body;
  auto defaults = std::string{};
  for (const auto* column : columns)
    if (!column->fallback.empty())
      defaults += (defaults.empty() ? "" : ", ") + quoted_text(column->name) + ", " +
                  column->fallback;
  if (defaults.empty())
    return body;
  return "(select json_agg(jsonb_build_object(" + defaults +
         ") || e.value) from jsonb_array_elements(" + body + "::jsonb) e)";
}

/// The body's rows as a relation named b.
[[nodiscard]] std::string
body_rows_sql(rest_context& to, const rest_request& what,
              const std::vector<const schema_column*>& columns) {
  return "json_to_recordset(" + body_sql(to, what, columns) + ") as b (" +
         list(columns,
              [](const schema_column& one) {
                return quoted_name(one.name) + " " + one.type;
              }) +
         ")";
}

[[nodiscard]] std::string
conflict_sql(rest_context& to, const rest_request& what, const schema_table& table,
             const std::vector<const schema_column*>& written) {
  if (what.prefer.duplicates == on_duplicate::fail)
    return {};
  const auto target =
      find_columns(to, table, what.on_conflict.empty() ? table.key : what.on_conflict);
  if (target.empty())
    return {};
  const auto on =
      " on conflict (" +
      list(target, [](const schema_column& one) { return quoted_name(one.name); }) +
      ")";
  if (what.prefer.duplicates == on_duplicate::ignore || written.empty())
    return on + " do nothing";
  // Counts the rows that were there before: nothing else tells them from new ones
  // without the right to read the table.
  return on + " do update set " +
         list(written,
              [](const schema_column& one) {
                return quoted_name(one.name) + " = excluded." + quoted_name(one.name);
              }) +
         " where set_config('jessica.updated', (coalesce(nullif(current_setting("
         "'jessica.updated', true), ''), '0')::bigint + 1)::text, true) is not null";
}

[[nodiscard]] std::string insert_sql(rest_context& to, const rest_request& what,
                                     const schema_table& table,
                                     const std::string& alias) {
  const auto columns = written_columns(to, what, table);
  auto text = "insert into " + exposed_name(table.name) + " as " + alias;
  if (columns.empty()) // a row of defaults for each object
    return text + " select from json_array_elements(" + body_sql(to, what, columns) +
           ")" + conflict_sql(to, what, table, columns);
  text +=
      " (" +
      list(columns, [](const schema_column& one) { return quoted_name(one.name); }) +
      ") ";
  if (is_flat(what, columns))
    text += "values (" +
            list(columns,
                 [&](const schema_column& one) { return flat_value(to, what, one); }) +
            ")";
  else
    text +=
        "select " +
        list(columns,
             [](const schema_column& one) { return "b." + quoted_name(one.name); }) +
        " from " + body_rows_sql(to, what, columns);
  return text + conflict_sql(to, what, table, columns);
}

[[nodiscard]] std::string update_sql(rest_context& to, const rest_request& what,
                                     const sql_row& row) {
  const auto columns = written_columns(to, what, row.table);
  if (columns.empty())
    return {};
  const auto head =
      "update " + exposed_name(row.table.name) + " as " + row.alias + " set ";
  if (is_flat(what, columns))
    return head +
           list(columns,
                [&](const schema_column& one) {
                  return quoted_name(one.name) + " = " + flat_value(to, what, one);
                }) +
           where_sql(to, row, what.what, true);
  return head +
         list(columns,
              [](const schema_column& one) {
                return quoted_name(one.name) + " = b." + quoted_name(one.name);
              }) +
         " from (select * from " + body_rows_sql(to, what, columns) + " limit 1) b" +
         where_sql(to, row, what.what, true);
}

} // namespace

std::string write_sql(rest_context& to, const rest_request& what,
                      const schema_table& table,
                      const std::vector<std::string>& returned) {
  const auto row = sql_row{table, to.alias()};
  auto text = std::string{};
  switch (what.action) {
  case rest_action::insert:
    text = insert_sql(to, what, table, row.alias);
    break;
  case rest_action::update:
    text = update_sql(to, what, row);
    break;
  case rest_action::remove:
    text = "delete from " + exposed_name(table.name) + " as " + row.alias +
           where_sql(to, row, what.what, true);
    break;
  case rest_action::read:
  case rest_action::call:
  case rest_action::describe:
    to.refuse(fail(errc::internal, "this request writes nothing"));
  }
  auto columns = std::string{};
  for (const auto& name : returned)
    columns += (columns.empty() ? "" : ", ") + row.alias + "." +
               (name == "*" ? name : quoted_name(name));
  if (columns.empty())
    columns = "1";
  if (text.empty()) // an update without columns: no row is changed
    return "select " + columns + " from " + exposed_name(table.name) + " " + row.alias +
           " where false";
  return text + " returning " + columns;
}

} // namespace jessica::storage
