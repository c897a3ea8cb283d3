// table_query -> parameterised SQL: the only place that builds SQL from parts.
#pragma once

#include "domain/error.hpp"
#include "domain/identity.hpp"
#include "domain/query.hpp"
#include "storage/connection.hpp"

#include <cstdint>
#include <string>

namespace jessica::storage {

/// One statement that returns (body json text, row count, total or null). Identifiers
/// are quoted, values are parameters; a column named "*" is all columns. At most
/// `max_rows` rows. Pure. Fails: invalid_input.
[[nodiscard]] result<statement> build_select(const table_query& query,
                                             std::int64_t max_rows);

/// Runs it read-only as `who`. Fails with `sql` filled as PostgreSQL said; not_found
/// with reason PGRST205 for an unknown table. Role: requests.
[[nodiscard]] result<table_page> select(connection& db, const identity& who,
                                        const table_query& query,
                                        std::int64_t max_rows);

} // namespace jessica::storage
