// What a REST URL means: a read of one table, free of URL and SQL syntax.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace jessica {

/// One selected column; an empty list in `table_query` means all.
struct column_choice {
  std::string column;
  std::string alias; ///< empty: the column's own name
  std::string cast;  ///< empty: none; identifier characters only
};

/// Comparison operators of the REST dialect.
enum class comparison : std::uint8_t {
  eq,
  neq,
  gt,
  gte,
  lt,
  lte,
  like,
  ilike,
  in, ///< any of `values`
  is  ///< `values[0]` is null, not_null, true, false or unknown
};

struct column_filter {
  std::string column;
  comparison op = comparison::eq;
  bool negated = false;
  std::vector<std::string> values; ///< bound as parameters, never spliced into SQL
};

struct column_order {
  std::string column;
  bool descending = false;
  std::optional<bool> nulls_first; ///< unset: PostgreSQL's default for the direction
};

enum class row_count : std::uint8_t { none, exact };

struct table_query {
  std::string schema = "public";
  std::string table;
  std::vector<column_choice> columns;
  std::vector<column_filter> filters; ///< all must hold
  std::vector<column_order> order;
  std::optional<std::int64_t> limit;
  std::int64_t offset = 0;
  row_count count = row_count::none;
};

/// A read's answer: rows as the JSON text PostgreSQL built.
struct table_page {
  std::string json = "[]";
  std::int64_t rows = 0;
  std::optional<std::int64_t> total; ///< set when a count was asked for
};

} // namespace jessica
