// Chosen columns and related rows as SQL.
#include "storage/rest_context.hpp"
#include "storage/rest_fault.hpp"
#include "storage/rest_relations.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace jessica::storage {
namespace {

[[nodiscard]] bool is_type_name(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  });
}

/// The output columns and the joins they need.
struct output {
  std::string columns;
  std::string joins;

  void add(const std::string& column) {
    columns += (columns.empty() ? "" : ", ") + column;
  }
};

/// `rel(count)` counts the related rows, where no column has that name.
[[nodiscard]] bool is_count(const sql_row& of, const column_choice& what) {
  return what.what.column == "count" && what.what.steps.empty() &&
         !of.table.readable("count");
}

[[nodiscard]] std::string choice_sql(rest_context& to, const sql_row& of,
                                     const column_choice& what) {
  if (what.what.column == "*")
    return of.alias + ".*";
  auto text = is_count(of, what) ? "count(*)" : value_sql(to, of, what.what);
  if (!what.cast.empty()) {
    if (!is_type_name(what.cast))
      to.refuse(fail(errc::invalid_input, "a cast names no type"));
    text = "cast(" + text + " as " + what.cast + ")";
  }
  // Named always: a cast would otherwise take the type's name.
  return text + " as " + quoted_name(output_name(what));
}

/// Does it show anything, or is it asked for as a condition only?
[[nodiscard]] bool shows(const embedding& what) {
  return !what.of.columns.empty() || std::ranges::any_of(what.of.embedded, shows);
}

[[nodiscard]] output output_of(rest_context& to, const sql_row& of,
                               const selection& what);

[[nodiscard]] std::string related_rows_sql(rest_context& to, const sql_row& of,
                                           const sql_row& related,
                                           const relationship& by,
                                           const selection& what) {
  const auto shown = output_of(to, related, what);
  const auto source = related_sql(to, of, related, by, what);
  auto text = "select " + shown.columns + source.from + shown.joins + source.where;
  if (by.to_one())
    return text + " limit 1";
  text += order_sql(to, related, what);
  return text + window_sql(to, what);
}

/// The keys under which a spread list's columns stand.
[[nodiscard]] std::vector<std::string> spread_names(const schema_table& table,
                                                    const selection& what) {
  auto names = std::vector<std::string>{};
  for (const auto& one : what.columns)
    if (one.what.column == "*")
      for (const auto& column : table.columns)
        names.push_back(column.name);
    else
      names.push_back(output_name(one));
  for (const auto& one : what.embedded)
    if (shows(one) && !one.spread)
      names.push_back(one.name());
  return names;
}

/// The related rows' columns become the row's own: of one row as they are, of many as
/// arrays.
void add_spread(rest_context& to, const sql_row& of, const embedding& what,
                const found_relation& found, output& into) {
  const auto row = sql_row{*found.table, to.alias()};
  auto rows = related_rows_sql(to, of, row, *found.by, what.of);
  const auto joined = to.alias();
  if (!found.by->to_one()) {
    auto lists = std::string{};
    for (const auto& name : spread_names(*found.table, what.of))
      lists += (lists.empty() ? "" : ", ") + std::string{"coalesce(json_agg(e."} +
               quoted_name(name) + "), '[]') as " + quoted_name(name);
    rows = "select " + lists + " from (" + rows + ") e";
  }
  into.joins += " left join lateral (" + rows + ") " + joined + " on true";
  into.add(joined + ".*");
}

void add_embedding(rest_context& to, const sql_row& of, const embedding& what,
                   output& into) {
  const auto found = find_related(to, of, what);
  if (found.by == nullptr || !shows(what))
    return;
  if (what.spread)
    return add_spread(to, of, what, found, into);
  const auto row = sql_row{*found.table, to.alias()};
  const auto rows = related_rows_sql(to, of, row, *found.by, what.of);
  into.add((found.by->to_one() ? "(select row_to_json(e.*) from ("
                               : "(select coalesce(json_agg(e.*), '[]') from (") +
           rows + ") e) as " + quoted_name(what.name()));
}

output output_of(rest_context& to, const sql_row& of, const selection& what) {
  auto made = output{};
  for (const auto& one : what.columns)
    made.add(choice_sql(to, of, one));
  for (const auto& one : what.embedded)
    add_embedding(to, of, one, made);
  return made;
}

[[nodiscard]] std::string joined_on(const std::string& from,
                                    const std::vector<column_pair>& columns,
                                    const std::string& to) {
  auto text = std::string{};
  for (const auto& pair : columns)
    text += (text.empty() ? "" : " and ") + to + "." + quoted_name(pair.to) + " = " +
            from + "." + quoted_name(pair.from);
  return text;
}

} // namespace

std::string output_name(const column_choice& what) {
  if (!what.alias.empty())
    return what.alias;
  const auto& steps = what.what.steps;
  const auto named = std::ranges::find_if(
      steps.rbegin(), steps.rend(), [](const json_step& step) { return !step.index; });
  return named == steps.rend() ? what.what.column : named->key;
}

const embedding* find_embedding(const selection& in, std::string_view name) {
  const auto found = std::ranges::find_if(
      in.embedded, [&](const embedding& one) { return one.name() == name; });
  return found == in.embedded.end() ? nullptr : &*found;
}

found_relation find_related(rest_context& to, const sql_row& of,
                            const embedding& what) {
  const auto by =
      find_relationship(to.schema(), of.table.name, what.relation, what.hint);
  if (!by) {
    to.refuse(std::unexpected{by.error()});
    return {};
  }
  const auto* table = to.schema().table((*by)->to);
  if (table == nullptr)
    to.refuse(fail(errc::internal, "a relationship leads to no table"));
  return {table == nullptr ? nullptr : *by, table};
}

related_rows related_sql(rest_context& to, const sql_row& of, const sql_row& related,
                         const relationship& by, const selection& what) {
  auto from = " from " + exposed_name(by.to) + " " + related.alias;
  auto on = std::string{};
  if (by.how == cardinality::many_to_many) {
    const auto junction = to.alias();
    from += " join " + exposed_name(by.junction) + " " + junction + " on " +
            joined_on(junction, by.far, related.alias);
    on = joined_on(of.alias, by.columns, junction);
  } else {
    on = joined_on(of.alias, by.columns, related.alias);
  }
  auto where = where_sql(to, related, what, false);
  if (!where.empty())
    on += " and " + where.substr(std::string_view{" where "}.size());
  return {std::move(from), " where " + on};
}

std::string exists_sql(rest_context& to, const sql_row& of, const embedding& what) {
  const auto found = find_related(to, of, what);
  if (found.by == nullptr)
    return "true";
  const auto row = sql_row{*found.table, to.alias()};
  const auto rows = related_sql(to, of, row, *found.by, what.of);
  return "exists (select 1" + rows.from + rows.where + ")";
}

std::string rows_sql(rest_context& to, const sql_row& of, const std::string& from,
                     const selection& what, rows_options how) {
  const auto shown = output_of(to, of, what);
  auto text =
      "select " + shown.columns + " from " + from + " " + of.alias + shown.joins;
  if (how.filtered)
    text += where_sql(to, of, what, false);
  text += order_sql(to, of, what);
  if (how.windowed)
    text += window_sql(to, what);
  return text;
}

std::vector<std::string> needed_columns(rest_context& to, const sql_row& of,
                                        const selection& what) {
  auto names = std::vector<std::string>{};
  const auto need = [&](const std::string& name) {
    if (!std::ranges::contains(names, name))
      names.push_back(name);
  };
  for (const auto& one : what.columns)
    need(one.what.column);
  for (const auto& one : what.order)
    if (one.relation.empty())
      need(one.what.column);
  for (const auto& one : what.embedded)
    if (const auto found = find_related(to, of, one); found.by != nullptr)
      for (const auto& pair : found.by->columns)
        need(pair.from);
  if (std::ranges::contains(names, "*"))
    std::erase_if(names, [&](const auto& name) {
      return name != "*" && of.table.find(name) != nullptr;
    });
  return names;
}

} // namespace jessica::storage
