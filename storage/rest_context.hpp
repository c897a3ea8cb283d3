// What the builders of one REST statement share: the schema, the parameters so far and
// the first failure. Private to this room and its tests.
#pragma once

#include "domain/error.hpp"
#include "domain/query.hpp"
#include "storage/connection.hpp"
#include "storage/rest_schema.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::storage {

/// `name` in double quotes, inner ones doubled.
[[nodiscard]] std::string quoted_name(std::string_view name);
/// A name of the schema's as a string literal.
[[nodiscard]] std::string quoted_text(std::string_view text);
/// The exposed table's or function's name with its schema.
[[nodiscard]] std::string exposed_name(std::string_view name);

/// Builders write on after a failure; what they wrote is thrown away then.
class rest_context {
public:
  rest_context(const rest_schema& schema, std::int64_t max_rows)
      : schema_{schema}, max_rows_{max_rows} {}

  [[nodiscard]] const rest_schema& schema() const noexcept { return schema_; }
  [[nodiscard]] std::int64_t max_rows() const noexcept { return max_rows_; }

  /// The placeholder of a new parameter.
  [[nodiscard]] std::string bind(parameter value);
  /// A name no other row of the statement has.
  [[nodiscard]] std::string alias();
  /// The first failure stays.
  void refuse(std::unexpected<error> why);

  /// The statement, or the failure. The context is spent.
  [[nodiscard]] result<statement> finish(std::string sql);

private:
  const rest_schema& schema_;
  std::int64_t max_rows_;
  std::vector<parameter> parameters_;
  std::size_t aliases_ = 0;
  std::optional<error> failure_;
};

/// A relation in a FROM clause.
struct sql_row {
  const schema_table& table;
  std::string alias;
};

/// A column or a place in its JSON. Refuses unknown columns as PostgreSQL does, 42703.
[[nodiscard]] std::string value_sql(rest_context& to, const sql_row& of,
                                    const column_path& what);

/// What must hold of a row, " where " in front; embedded relations asked for with
/// `inner` included unless `own_only`. Empty: nothing is asked.
[[nodiscard]] std::string where_sql(rest_context& to, const sql_row& of,
                                    const selection& what, bool own_only);

/// " order by ..." or nothing.
[[nodiscard]] std::string order_sql(rest_context& to, const sql_row& of,
                                    const selection& what);

/// " limit ... offset ...": never more than the context's limit of rows.
[[nodiscard]] std::string window_sql(rest_context& to, const selection& what);

/// `select ... from FROM ...`: the rows asked for, one output column for each key.
/// `from` is SQL for the relation that goes by `of.alias`. Without conditions when
/// `filtered` is not set, without a window when `windowed` is not.
struct rows_options {
  bool filtered = true;
  bool windowed = true;
};
[[nodiscard]] std::string rows_sql(rest_context& to, const sql_row& of,
                                   const std::string& from, const selection& what,
                                   rows_options how);

/// The rows related to `of`, which go by `related.alias`: " from ..." and " where ...".
struct related_rows {
  std::string from;
  std::string where;
};
[[nodiscard]] related_rows related_sql(rest_context& to, const sql_row& of,
                                       const sql_row& related, const relationship& by,
                                       const selection& what);

/// The embedding's relationship and table; nullptr (and a refusal): there is none.
struct found_relation {
  const relationship* by = nullptr;
  const schema_table* table = nullptr;
};
[[nodiscard]] found_relation find_related(rest_context& to, const sql_row& of,
                                          const embedding& what);

/// The embedding that the rest of the query calls `name`.
[[nodiscard]] const embedding* find_embedding(const selection& in,
                                              std::string_view name);

/// "exists (...)": the row has related rows that fit.
[[nodiscard]] std::string exists_sql(rest_context& to, const sql_row& of,
                                     const embedding& what);

/// Columns of `of` that the answer needs: chosen, sorted by, or joined on; "*": all.
[[nodiscard]] std::vector<std::string>
needed_columns(rest_context& to, const sql_row& of, const selection& what);

/// The key under which a chosen column stands in the answer.
[[nodiscard]] std::string output_name(const column_choice& what);

} // namespace jessica::storage
