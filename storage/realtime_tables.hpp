// Which tables clients may follow, and who may see a changed row.
#pragma once

#include "domain/error.hpp"
#include "domain/identity.hpp"
#include "storage/change.hpp"
#include "storage/connection.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace jessica::storage {

struct realtime_column {
  std::string name;
  std::string type; ///< pg_type.typname
  bool key = false; ///< of the primary key
};

/// How rows of a table are judged for a client role (view jessica.realtime_tables).
struct realtime_policy {
  enum class rule : std::uint8_t {
    none,  ///< nobody sees any
    open,  ///< everybody sees all
    owner, ///< whose id stands in `owner`
    sql    ///< row security is asked about each row
  };
  rule judged = rule::none;
  std::string owner;
  std::vector<std::string> columns; ///< those the role may see
};

struct realtime_table {
  std::uint32_t oid = 0;
  std::string schema;
  std::string name;
  std::vector<realtime_column> columns;
  realtime_policy anon;
  realtime_policy authenticated;
};

/// The tables of publication supabase_realtime. Role: engine.
[[nodiscard]] result<std::vector<realtime_table>> realtime_tables(connection& db);

/// A row by its primary key: column positions and values.
using row_key = std::vector<std::pair<std::size_t, std::string>>;

/// Who of these sees the row now: asked of row security itself, in one round trip.
/// Role: requests.
[[nodiscard]] result<std::vector<bool>>
who_sees(connection& db, const realtime_table& table, const row_key& key,
         std::span<const std::shared_ptr<const identity>> whom);

/// Values that a change did not carry, as they are now; nullopt for NULL and for a row
/// that is gone. Role: requests.
[[nodiscard]] result<std::vector<parameter>>
read_columns(connection& db, const realtime_table& table, const row_key& key,
             std::span<const std::size_t> columns);

} // namespace jessica::storage
