// Decodes what PostgreSQL's plugin pgoutput writes: protocol version 1, text form, one
// message at a time. Pure: no connection, no clock.
#pragma once

#include "domain/account.hpp"
#include "domain/error.hpp"
#include "domain/lsn.hpp"
#include "storage/change.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

namespace jessica::storage {

class byte_reader;

struct transaction_begin {
  lsn commit;
  timestamp committed;
  std::uint32_t xid = 0;
};

struct transaction_commit {
  lsn commit;
  lsn end; ///< the place after it: what a reader confirms
  timestamp committed;
};

/// A table was described, for the changes that follow.
struct table_announced {
  std::shared_ptr<const table_shape> table;
};

/// A message that says nothing we use: a type's name, a transaction's origin.
struct nothing_told {};

using pgoutput_message =
    std::variant<nothing_told, transaction_begin, transaction_commit, table_announced,
                 row_change, tables_truncated, wal_message>;

/// PostgreSQL counts time in microseconds since 2000-01-01 UTC.
[[nodiscard]] timestamp from_server_time(std::int64_t microseconds) noexcept;
[[nodiscard]] std::int64_t to_server_time(timestamp when) noexcept;

/// Remembers the tables that a stream announced; one for each stream. One thread at a
/// time.
class pgoutput_decoder {
public:
  /// Tables remembered; a stream that announces more of them is at fault.
  static constexpr auto table_limit = std::size_t{65'536};

  /// Decodes one message. Fails with `internal`: a byte that is unknown or missing or
  /// too many, a length that cannot be, a table that was not announced, a row that does
  /// not fit its table. Nothing after such a message can be trusted.
  [[nodiscard]] result<pgoutput_message> decode(std::string_view message);

private:
  result<pgoutput_message> relation(byte_reader& in);
  result<pgoutput_message> insert(byte_reader& in);
  result<pgoutput_message> update(byte_reader& in);
  result<pgoutput_message> remove(byte_reader& in);
  result<pgoutput_message> truncate(byte_reader& in);
  result<std::shared_ptr<const table_shape>> table(byte_reader& in) const;

  std::unordered_map<std::uint32_t, std::shared_ptr<const table_shape>> tables_;
  std::vector<field> row_; // kept for their memory
  std::vector<field> old_;
};

} // namespace jessica::storage
