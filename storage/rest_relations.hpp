// Foreign keys -> which tables and views are related to which, and the one of them that
// a client means. Pure.
#pragma once

#include "domain/error.hpp"
#include "storage/rest_schema.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::storage {

/// A table or a view on it, as clients name it.
struct table_face {
  std::string name;
  /// The table's columns that show -> their names here.
  std::map<std::string, std::string, std::less<>> columns;
};
using faces_by_table = std::map<std::int64_t, std::vector<table_face>>;

struct foreign_key {
  std::string name;
  std::int64_t from = 0; ///< pg_class.oid
  std::int64_t to = 0;
  std::vector<column_pair> columns;
  bool one = false; ///< at most one row refers to each
};

/// All of them, both ways, with those through junctions: tables whose primary key holds
/// the columns of two foreign keys.
[[nodiscard]] std::vector<relationship>
relationships_of(const std::vector<foreign_key>& keys, const faces_by_table& faces,
                 const std::map<std::string, schema_table, std::less<>>& tables);

/// The relationship a client names by `target` (a table, a foreign key or its column)
/// and `hint` (a foreign key, its column or a junction; empty: none). Fails:
/// invalid_input PGRST200 (none), PGRST201 (several, listed in the details).
[[nodiscard]] result<const relationship*> find_relationship(const rest_schema& schema,
                                                            std::string_view from,
                                                            std::string_view target,
                                                            std::string_view hint);

} // namespace jessica::storage
