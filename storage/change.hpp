// What the change feed reports: rows that were written, tables that were emptied,
// messages that travel in the log. Plain values that own their bytes.
#pragma once

#include "domain/account.hpp"
#include "domain/lsn.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace jessica::storage {

struct table_column {
  std::string name;
  std::uint32_t type = 0; ///< the type's oid in pg_type
  bool key = false;       ///< part of the replica identity: known of an old row

  friend bool operator==(const table_column&, const table_column&) = default;
};

/// What old rows of updates and deletes tell.
enum class replica_identity : std::uint8_t {
  primary_key, ///< the primary key (the default of PostgreSQL)
  nothing,
  full, ///< the whole row
  index,
};

/// A table as it was when the change was made. All changes of a table share one; there
/// is a new one when the table has changed, and only then.
struct table_shape {
  std::uint32_t oid = 0;
  std::string schema;
  std::string name;
  replica_identity identity = replica_identity::primary_key;
  std::vector<table_column> columns; ///< generated columns are never among them

  /// Position of a column.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view column) const noexcept;

  friend bool operator==(const table_shape&, const table_shape&) = default;
};

enum class field_state : std::uint8_t {
  unknown,   ///< PostgreSQL did not say, or there is no such column
  null,      ///< SQL NULL
  text,      ///< a value, in PostgreSQL's text form
  unchanged, ///< a big value that the update left as it was, and did not send: not NULL
};

struct field {
  field_state state = field_state::unknown;
  std::string_view text;

  friend bool operator==(const field&, const field&) = default;
};

/// Where a field's text lies in its row's buffer.
struct field_slot {
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
  field_state state = field_state::unknown;
};

/// The fields of one row by position or name; valid as long as the change it is from.
class row_view {
public:
  row_view(const table_shape& table, std::span<const field_slot> slots,
           std::string_view bytes) noexcept
      : table_{&table}, slots_{slots}, bytes_{bytes} {}

  /// A position or name that the table does not have is `unknown`.
  [[nodiscard]] field at(std::size_t column) const noexcept;
  [[nodiscard]] field at(std::string_view column) const noexcept;
  /// The value; nullopt when it is null, unchanged or unknown.
  [[nodiscard]] std::optional<std::string_view>
  text(std::string_view column) const noexcept;

private:
  const table_shape* table_;
  std::span<const field_slot> slots_;
  std::string_view bytes_;
};

enum class change_kind : std::uint8_t { insert, update, remove };

/// How much of the row before an update or delete is known. `key`: only the columns of
/// the replica identity; an update has it only when the key itself changed.
enum class old_row : std::uint8_t { none, key, full };

/// One row that was written.
class row_change {
public:
  /// Copies all texts into one buffer. Fields are in the order of `table->columns`; an
  /// empty span is a row of which nothing is known. Where the new row says `unchanged`
  /// and the old row has the value, the value is taken from there. Columns that are not
  /// part of the key become `unknown` in an old row of which only the key is known.
  row_change(change_kind kind, std::shared_ptr<const table_shape> table,
             std::span<const field> row, old_row known = old_row::none,
             std::span<const field> old = {});

  [[nodiscard]] change_kind kind() const noexcept { return kind_; }
  [[nodiscard]] const std::shared_ptr<const table_shape>& table() const noexcept {
    return table_;
  }
  /// The row after an insert or update; of a delete everything is unknown.
  [[nodiscard]] row_view row() const noexcept;
  /// The row before an update or delete, as far as `old_known` says.
  [[nodiscard]] row_view old() const noexcept;
  [[nodiscard]] old_row old_known() const noexcept { return known_; }
  /// What it keeps in memory, about.
  [[nodiscard]] std::size_t size_bytes() const noexcept;

private:
  change_kind kind_;
  old_row known_;
  std::uint32_t row_fields_ = 0; // the rest of slots_ is the old row
  std::shared_ptr<const table_shape> table_;
  std::vector<field_slot> slots_;
  std::string bytes_;
};

/// TRUNCATE: there are no rows to tell. Who mirrors one of the tables reads it anew.
struct tables_truncated {
  std::vector<std::shared_ptr<const table_shape>> tables;
};

/// What pg_logical_emit_message wrote. A transactional one stands among the changes of
/// its transaction, the others come when they were written, committed or not.
struct wal_message {
  std::string prefix;
  std::string content; ///< any bytes
  bool transactional = false;
};

using feed_event = std::variant<row_change, tables_truncated, wal_message>;

/// A part of one transaction, or one message that is in none. Pieces of a transaction
/// come one after the other, transactions in the order of their commits.
struct feed_piece {
  lsn commit;          ///< of the transaction; of a message outside one: its own place
  timestamp committed; ///< by the server's clock
  std::vector<feed_event> events; ///< never empty
  bool last = false;              ///< with this piece the transaction is complete
  std::uint32_t xid = 0;          ///< the transaction's number; 0: in none
};

} // namespace jessica::storage
