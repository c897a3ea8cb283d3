// A changed row on its way to clients: postgres_changes of docs/realtime.md.
#pragma once

#include "domain/account.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace jessica::wire {

/// One column of a table whose changes are served.
struct change_column {
  std::string name;
  std::string type; ///< pg_type.typname: "int8", "timestamptz", "_text", ...
  bool key = false; ///< of the primary key

  friend bool operator==(const change_column&, const change_column&) = default;
};

/// One field of a row, in PostgreSQL's text form (ISO dates, UTC).
struct change_cell {
  enum class kind : std::uint8_t {
    unknown, ///< not told: nothing is shown or matched
    null,
    text,
  };
  kind what = kind::unknown;
  std::string_view text;

  friend bool operator==(const change_cell&, const change_cell&) = default;
};

enum class change_type : std::uint8_t { insert, update, remove };

/// A change as it happened; rows are in the order of `columns`, or empty.
struct row_change_view {
  std::string_view schema;
  std::string_view table;
  change_type type = change_type::insert;
  timestamp committed;
  std::span<const change_column> columns;
  std::span<const change_cell> record; ///< after an insert or update
  std::span<const change_cell> old;    ///< what is known of the row before
};

} // namespace jessica::wire
