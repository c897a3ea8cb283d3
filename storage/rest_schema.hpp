// What REST knows of the database's shape: tables, views, keys, foreign keys and
// functions of the exposed schema. An immutable snapshot that many threads share; a
// client's names become SQL only by being found here.
#pragma once

#include "domain/error.hpp"
#include "storage/connection.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::storage {

/// The schema whose tables and functions clients reach.
inline constexpr auto exposed_schema = std::string_view{"public"};

struct schema_column {
  std::string name;
  std::string type;      ///< as SQL spells it, schema-qualified
  std::string fallback;  ///< the default's SQL; empty: none
  bool required = false; ///< not null
  std::string note{};    ///< its comment
};

struct schema_table {
  std::string name;
  std::vector<schema_column> columns;
  std::vector<std::string> key;      ///< the primary key's columns, in order
  std::vector<std::string> computed; ///< functions of a row that read like columns
  std::string note{};                ///< its comment

  [[nodiscard]] const schema_column* find(std::string_view column) const noexcept;
  /// A column, or a function that reads like one.
  [[nodiscard]] bool readable(std::string_view column) const noexcept;
};

enum class cardinality : std::uint8_t {
  many_to_one,
  one_to_one,
  one_to_many,
  many_to_many
};

struct column_pair {
  std::string from;
  std::string to;
};

/// How rows of one table belong to rows of another, seen from `from`.
struct relationship {
  std::string from;
  std::string to;
  cardinality how = cardinality::many_to_one;
  std::string constraint;           ///< the foreign key; of a junction: to `from`
  std::vector<column_pair> columns; ///< of `from` and `to`, or `from` and the junction
  std::string junction;             ///< many to many only, as are the next two
  std::string far_constraint;       ///< the junction's foreign key to `to`
  std::vector<column_pair> far;     ///< of the junction and `to`

  [[nodiscard]] bool to_one() const noexcept {
    return how == cardinality::many_to_one || how == cardinality::one_to_one;
  }
};

struct schema_argument {
  std::string name; ///< may be empty
  std::string type;
  bool optional = false;
  bool variadic = false;
};

struct schema_function {
  enum class result : std::uint8_t { nothing, scalar, row };
  std::string name;
  std::vector<schema_argument> arguments; ///< what goes in
  result gives = result::scalar;
  bool many = false;     ///< a set
  bool volatile_ = true; ///< may write
  schema_table row;      ///< of a row: its columns, `name` that of an exposed table
  std::string note{};    ///< its comment
};

/// Bounds of what is read, so that a database with a million tables costs no memory.
struct schema_limits {
  std::size_t rows = 200'000; ///< of each catalog query
};

struct rest_schema {
  std::uint64_t version = 0;
  std::map<std::string, schema_table, std::less<>> tables; ///< and views
  /// By `from`, in order of their names.
  std::map<std::string, std::vector<relationship>, std::less<>> relationships;
  std::map<std::string, std::vector<schema_function>, std::less<>> functions;
  /// Role -> its statement_timeout as configured.
  std::map<std::string, std::string, std::less<>> time_limits;
  bool cut = false; ///< a bound was met: some of it is missing

  [[nodiscard]] const schema_table* table(std::string_view name) const noexcept;
};

using schema_snapshot = std::shared_ptr<const rest_schema>;

/// Reads the catalogs in one transaction. Fails like connection::run. Any role.
[[nodiscard]] result<schema_snapshot> load_schema(connection& db, std::uint64_t version,
                                                  schema_limits limits);

} // namespace jessica::storage
