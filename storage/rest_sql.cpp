#include "storage/rest_sql.hpp"

#include "storage/act_as.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <utility>
#include <vector>

namespace jessica::storage {
namespace {

/// `name` as SQL: in double quotes, inner ones doubled. libpq texts end at a zero byte.
[[nodiscard]] result<std::string> quoted(std::string_view name) {
  if (name.empty() || name.contains('\0'))
    return fail(errc::invalid_input, "a name is empty or holds a zero byte");
  auto text = std::string{'"'};
  for (const auto c : name)
    text.append(c == '"' ? 2 : 1, c);
  return text + '"';
}

[[nodiscard]] bool is_type_name(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  });
}

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
  case comparison::is:
    return " is ";
  }
  return " = ";
}

/// Builds one select; the first failure sticks.
class select_builder {
public:
  explicit select_builder(const table_query& query) : query_{query} {}

  [[nodiscard]] result<statement> build(std::int64_t max_rows) {
    table_ = name(query_.schema) + "." + name(query_.table);
    row_ = name(query_.table);
    const auto columns = select_list();
    const auto where = conditions();
    const auto sorted = order();
    const auto rows =
        std::clamp(query_.limit.value_or(max_rows), std::int64_t{0}, max_rows);
    const auto limit = bind(std::to_string(rows)); // first: parameters are numbered
    const auto offset = bind(std::to_string(query_.offset));
    const auto window = " limit " + limit + "::bigint offset " + offset + "::bigint";
    const auto total = query_.count == row_count::exact
                           ? "(select count(*) from " + table_ + where + ")"
                           : std::string{"null::bigint"};
    if (failure_)
      return std::unexpected{std::move(*failure_)};
    return statement{"select coalesce(json_agg(page.*), '[]')::text, count(*), " +
                         total + " from (select " + columns + " from " + table_ +
                         where + sorted + window + ") page",
                     std::move(parameters_)};
  }

private:
  void refuse(std::string what) {
    if (!failure_)
      failure_ = error{errc::invalid_input, std::move(what), {}, nullptr};
  }

  [[nodiscard]] std::string name(std::string_view text) {
    auto name = quoted(text);
    if (name)
      return std::move(*name);
    refuse(std::move(name.error().what));
    return {};
  }

  /// Qualified, so that a column's name never means the table or an output column.
  [[nodiscard]] std::string column(std::string_view text) {
    return row_ + "." + name(text);
  }

  [[nodiscard]] std::string bind(std::string value) {
    parameters_.emplace_back(std::move(value));
    return "$" + std::to_string(parameters_.size());
  }

  [[nodiscard]] std::string choice(const column_choice& what) {
    if (what.column == "*")
      return row_ + ".*";
    auto text = column(what.column);
    if (!what.cast.empty()) {
      if (!is_type_name(what.cast))
        refuse("a cast names no type");
      text = "cast(" + text + " as " + what.cast + ")";
    }
    // Named always: a cast would otherwise take the type's name.
    return text + " as " + name(what.alias.empty() ? what.column : what.alias);
  }

  [[nodiscard]] std::string select_list() {
    if (query_.columns.empty())
      return row_ + ".*";
    auto list = std::string{};
    for (const auto& what : query_.columns)
      list += (list.empty() ? "" : ", ") + choice(what);
    return list;
  }

  [[nodiscard]] std::string truth(const column_filter& filter) {
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
    refuse("the operand of is is not a truth value");
    return {};
  }

  [[nodiscard]] std::string operand(const column_filter& filter) {
    if (filter.op == comparison::is)
      return truth(filter);
    if (filter.op == comparison::in) {
      const auto items =
          std::vector<parameter>{filter.values.begin(), filter.values.end()};
      return "any(" + bind(array_literal(items)) + ")";
    }
    if (filter.values.size() != 1) {
      refuse("a comparison takes one value");
      return {};
    }
    return bind(filter.values.front());
  }

  [[nodiscard]] std::string conditions() {
    auto where = std::string{};
    for (const auto& filter : query_.filters) {
      where += where.empty() ? " where " : " and ";
      where += filter.negated ? "not (" : "(";
      where += column(filter.column);
      where += sql_operator(filter.op);
      where += operand(filter) + ")";
    }
    return where;
  }

  [[nodiscard]] std::string order() {
    auto list = std::string{};
    for (const auto& term : query_.order) {
      list += list.empty() ? " order by " : ", ";
      list += column(term.column) + (term.descending ? " desc" : "");
      if (term.nulls_first)
        list += *term.nulls_first ? " nulls first" : " nulls last";
    }
    return list;
  }

  const table_query& query_;
  std::string table_; ///< "schema"."table"
  std::string row_;   ///< "table"
  std::vector<parameter> parameters_;
  std::optional<error> failure_;
};

/// A table that is not there is told as PostgREST tells it.
[[nodiscard]] error explain(error failure, const table_query& query) {
  constexpr auto undefined_table = std::string_view{"42P01"};
  if (!failure.sql || failure.sql->sqlstate != undefined_table)
    return failure;
  return {errc::not_found,
          "Could not find the table '" + query.schema + "." + query.table +
              "' in the schema cache",
          "PGRST205", nullptr};
}

} // namespace

result<statement> build_select(const table_query& query, std::int64_t max_rows) {
  return select_builder{query}.build(max_rows);
}

result<table_page> select(connection& db, const identity& who, const table_query& query,
                          std::int64_t max_rows) {
  auto read = build_select(query, max_rows);
  if (!read)
    return std::unexpected{std::move(read.error())};
  const auto statements = std::array{act_as(who, access::read_only), std::move(*read)};
  const auto answer = db.run(statements);
  if (!answer)
    return std::unexpected{explain(answer.error(), query)};
  const auto& page = answer->at(1);
  return table_page{std::string{page.text(0, 0)}, page.integer(0, 1),
                    page.null(0, 2) ? std::nullopt : std::optional{page.integer(0, 2)}};
}

} // namespace jessica::storage
