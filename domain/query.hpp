// What a REST URL asks of rows: columns, conditions, order, window and embedded
// relations, free of URL and SQL syntax. Names are the client's and mean nothing until
// they are found in the schema; values are bound as parameters, never spliced into SQL.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace jessica {

/// One step into a JSON value: `->key`, `->>key`, `->0`.
struct json_step {
  std::string key;
  bool index = false;   ///< `key` is a whole number: an array's element
  bool as_text = false; ///< `->>`
};

/// A column, or a place inside its JSON value.
struct column_path {
  std::string column;
  std::vector<json_step> steps;
};

struct column_choice {
  column_path what;  ///< the column "*" stands for all
  std::string alias; ///< empty: the column's name, or the last key of its path
  std::string cast;  ///< empty: none; identifier characters only
};

/// Comparison operators of the REST dialect, in its own words.
enum class comparison : std::uint8_t {
  eq,
  neq,
  gt,
  gte,
  lt,
  lte,
  like,
  ilike,
  match,
  imatch,
  in, ///< any of `values`
  is, ///< `values[0]` is null, not_null, true, false or unknown
  isdistinct,
  cs,
  cd,
  ov,
  sl,
  sr,
  nxr,
  nxl,
  adj,
  fts,
  plfts,
  phfts,
  wfts
};

enum class quantifier : std::uint8_t { none, any, all };

struct column_filter {
  column_path what; ///< without steps also an embedded relation, for `is` null
  comparison op = comparison::eq;
  quantifier over = quantifier::none; ///< any, all: over `values`
  bool negated = false;
  std::string config; ///< of a text search; empty: the database's
  std::vector<std::string> values;
};

/// A tree of filters.
struct condition {
  enum class kind : std::uint8_t { filter, all, any };
  kind is = kind::filter;
  bool negated = false; ///< of a tree; a filter has its own
  column_filter filter;
  std::vector<condition> parts;
};

struct column_order {
  std::string relation; ///< of an embedded row's column; empty: an own one
  column_path what;
  bool descending = false;
  std::optional<bool> nulls_first; ///< unset: PostgreSQL's default for the direction
};

struct embedding;

/// What is asked of one relation's rows.
struct selection {
  std::vector<column_choice> columns;
  std::vector<embedding> embedded;
  std::vector<condition> conditions; ///< all must hold
  std::vector<column_order> order;
  std::optional<std::int64_t> limit;
  std::int64_t offset = 0;
};

/// Related rows inside each row.
struct embedding {
  std::string relation; ///< a table, a foreign key's name or its column
  std::string alias;    ///< empty: the relation's name
  std::string hint;     ///< a foreign key, its column or a junction; empty: none
  bool inner = false;   ///< rows without related ones are left out
  bool spread = false;  ///< its columns stand in the row itself
  selection of;

  /// What the rest of the query calls it.
  [[nodiscard]] const std::string& name() const noexcept {
    return alias.empty() ? relation : alias;
  }
};

} // namespace jessica
