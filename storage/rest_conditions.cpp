// Filters and orders as SQL.
#include "storage/rest_context.hpp"
#include "storage/rest_fault.hpp"
#include "storage/rest_hint.hpp"

#include <algorithm>
#include <array>
#include <format>
#include <utility>

namespace jessica::storage {
namespace {

[[nodiscard]] std::string_view sql_operator(comparison op) {
  switch (op) {
  case comparison::eq:
  case comparison::in:
    return " = ";
  case comparison::neq:
    return " <> ";
  case comparison::gt:
    return " > ";
  case comparison::gte:
    return " >= ";
  case comparison::lt:
    return " < ";
  case comparison::lte:
    return " <= ";
  case comparison::like:
    return " like ";
  case comparison::ilike:
    return " ilike ";
  case comparison::match:
    return " ~ ";
  case comparison::imatch:
    return " ~* ";
  case comparison::is:
    return " is ";
  case comparison::isdistinct:
    return " is distinct from ";
  case comparison::cs:
    return " @> ";
  case comparison::cd:
    return " <@ ";
  case comparison::ov:
    return " && ";
  case comparison::sl:
    return " << ";
  case comparison::sr:
    return " >> ";
  case comparison::nxr:
    return " &< ";
  case comparison::nxl:
    return " &> ";
  case comparison::adj:
    return " -|- ";
  case comparison::fts:
  case comparison::plfts:
  case comparison::phfts:
  case comparison::wfts:
    return " @@ ";
  }
  return " = ";
}

/// The function that reads a text search's words; empty: another comparison.
[[nodiscard]] std::string_view query_function(comparison op) {
  switch (op) {
  case comparison::fts:
    return "to_tsquery";
  case comparison::plfts:
    return "plainto_tsquery";
  case comparison::phfts:
    return "phraseto_tsquery";
  case comparison::wfts:
    return "websearch_to_tsquery";
  default:
    return {};
  }
}

[[nodiscard]] std::string truth_sql(rest_context& to, const column_filter& filter) {
  static constexpr auto truths =
      std::array<std::pair<std::string_view, std::string_view>, 5>{
          {{"null", "null"},
           {"not_null", "not null"},
           {"true", "true"},
           {"false", "false"},
           {"unknown", "unknown"}}};
  const auto* found = filter.values.size() == 1
                          ? std::ranges::find(truths, filter.values.front(),
                                              [](auto& row) { return row.first; })
                          : truths.end();
  if (found != truths.end())
    return std::string{found->second};
  to.refuse(fail(errc::invalid_input, "the operand of is is no truth value"));
  return {};
}

/// The left side of a text search: what is no tsvector becomes one.
[[nodiscard]] std::string searched_sql(const sql_row& of, const column_filter& filter,
                                       std::string value, const std::string& config) {
  const auto* column = of.table.find(filter.what.column);
  const auto vector =
      filter.what.steps.empty() && (column == nullptr || column->type == "tsvector");
  if (vector)
    return value;
  return "to_tsvector(" + (config.empty() ? "" : config + ", ") + value + ")";
}

[[nodiscard]] std::string search_sql(rest_context& to, const sql_row& of,
                                     const column_filter& filter, std::string value) {
  const auto config =
      filter.config.empty() ? std::string{} : to.bind(filter.config) + "::regconfig";
  auto left = searched_sql(of, filter, std::move(value), config);
  return left + " @@ " + std::string{query_function(filter.op)} + "(" +
         (config.empty() ? "" : config + ", ") + to.bind(filter.values.front()) + ")";
}

[[nodiscard]] std::string operand_sql(rest_context& to, const column_filter& filter) {
  if (filter.op == comparison::is)
    return truth_sql(to, filter);
  if (filter.op == comparison::in) {
    const auto items =
        std::vector<parameter>{filter.values.begin(), filter.values.end()};
    return "any(" + to.bind(array_literal(items)) + ")";
  }
  if (filter.values.size() != 1) {
    to.refuse(fail(errc::invalid_input, "a comparison takes one value"));
    return {};
  }
  auto value = to.bind(filter.values.front());
  switch (filter.over) {
  case quantifier::none:
    break;
  case quantifier::any:
    return "any(" + value + ")";
  case quantifier::all:
    return "all(" + value + ")";
  }
  return value;
}

[[nodiscard]] std::string filter_sql(rest_context& to, const sql_row& of,
                                     const selection& in, const column_filter& filter,
                                     bool own_only) {
  const auto* related = own_only || !filter.what.steps.empty()
                            ? nullptr
                            : find_embedding(in, filter.what.column);
  auto text = std::string{};
  if (related != nullptr) {
    if (filter.op != comparison::is ||
        filter.values != std::vector<std::string>{"null"})
      to.refuse(rest_fault(errc::invalid_input, "PGRST120",
                           "Bad operator on the '" + filter.what.column +
                               "' embedded resource",
                           "Only is null or not is null filters are allowed on "
                           "embedded resources"));
    text = "not " + exists_sql(to, of, *related);
  } else {
    auto value = value_sql(to, of, filter.what);
    if (query_function(filter.op).empty())
      text = value + std::string{sql_operator(filter.op)} + operand_sql(to, filter);
    else
      text = search_sql(to, of, filter, std::move(value));
  }
  return (filter.negated ? "not (" : "(") + text + ")";
}

[[nodiscard]] std::string condition_sql(rest_context& to, const sql_row& of,
                                        const selection& in, const condition& what,
                                        bool own_only) {
  if (what.is == condition::kind::filter)
    return filter_sql(to, of, in, what.filter, own_only);
  auto text = std::string{};
  for (const auto& part : what.parts) {
    if (!text.empty())
      text += what.is == condition::kind::all ? " and " : " or ";
    text += condition_sql(to, of, in, part, own_only);
  }
  if (text.empty())
    text = what.is == condition::kind::all ? "true" : "false";
  return (what.negated ? "not (" : "(") + text + ")";
}

/// A column of the one related row.
[[nodiscard]] std::string related_value_sql(rest_context& to, const sql_row& of,
                                            const selection& in,
                                            const column_order& term) {
  const auto* embedded = find_embedding(in, term.relation);
  if (embedded == nullptr) {
    to.refuse(rest_fault(
        errc::invalid_input, "PGRST108",
        "'" + term.relation + "' is not an embedded resource in this request", {},
        "Verify that '" + term.relation +
            "' is included in the 'select' query parameter."));
    return {};
  }
  const auto found = find_related(to, of, *embedded);
  if (found.by == nullptr)
    return {};
  if (!found.by->to_one())
    to.refuse(rest_fault(errc::invalid_input, "PGRST118",
                         "A related order on '" + term.relation + "' is not possible",
                         "'" + of.table.name + "' and '" + term.relation +
                             "' do not form a many-to-one or one-to-one relationship"));
  const auto row = sql_row{*found.table, to.alias()};
  const auto value = value_sql(to, row, term.what);
  const auto rows = related_sql(to, of, row, *found.by, embedded->of);
  return "(select " + value + rows.from + rows.where + " limit 1)";
}

} // namespace

std::string value_sql(rest_context& to, const sql_row& of, const column_path& what) {
  if (!of.table.readable(what.column)) {
    to.refuse(rest_fault(
        errc::invalid_input, "42703",
        std::format("column {}.{} does not exist", of.table.name, what.column), {},
        column_hint(of.table, what.column)));
    return {};
  }
  auto text = of.alias + "." + quoted_name(what.column);
  if (what.steps.empty())
    return text;
  const auto* column = of.table.find(what.column);
  const auto json =
      column != nullptr && (column->type == "json" || column->type == "jsonb");
  text = json ? text : "to_jsonb(" + text + ")";
  for (const auto& step : what.steps)
    text += (step.as_text ? " ->> " : " -> ") + to.bind(step.key) +
            (step.index ? "::int" : "::text");
  return "(" + text + ")";
}

std::string where_sql(rest_context& to, const sql_row& of, const selection& what,
                      bool own_only) {
  auto text = std::string{};
  const auto add = [&](const std::string& one) {
    text += (text.empty() ? " where " : " and ") + one;
  };
  for (const auto& one : what.conditions)
    add(condition_sql(to, of, what, one, own_only));
  if (!own_only)
    for (const auto& one : what.embedded)
      if (one.inner)
        add(exists_sql(to, of, one));
  return text;
}

std::string order_sql(rest_context& to, const sql_row& of, const selection& what) {
  auto list = std::string{};
  for (const auto& term : what.order) {
    list += list.empty() ? " order by " : ", ";
    list += term.relation.empty() ? value_sql(to, of, term.what)
                                  : related_value_sql(to, of, what, term);
    list += term.descending ? " desc" : "";
    if (term.nulls_first)
      list += *term.nulls_first ? " nulls first" : " nulls last";
  }
  return list;
}

std::string window_sql(rest_context& to, const selection& what) {
  const auto rows =
      std::clamp(what.limit.value_or(to.max_rows()), std::int64_t{0}, to.max_rows());
  const auto limit = to.bind(std::to_string(rows)); // first: parameters are numbered
  const auto offset =
      what.offset > 0 ? " offset " + to.bind(std::to_string(what.offset)) + "::bigint"
                      : std::string{};
  return " limit " + limit + "::bigint" + offset;
}

} // namespace jessica::storage
