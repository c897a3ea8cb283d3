// rest_request -> parameterised SQL. Pure: names are looked up in the schema and
// quoted, values are parameters.
#pragma once

#include "domain/error.hpp"
#include "domain/rest.hpp"
#include "storage/act_as.hpp"
#include "storage/connection.hpp"
#include "storage/rest_schema.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace jessica::storage {

/// What a request is carried out by. `main` returns one row: body text, row count,
/// total or null, response.headers and response.status or null, rows updated by an
/// upsert, then the values of `key`.
struct rest_statement {
  statement main;
  std::optional<statement> estimate; ///< EXPLAIN of the rows' query, as JSON
  access mode = access::read_only;
  std::vector<std::string> key; ///< columns of return=headers-only
  bool nothing = false;         ///< a function without a result
};

/// Fails: not_found PGRST205 (table), PGRST202 (function); invalid_input PGRST203
/// (several functions), PGRST204 (column of a body), PGRST102 (body), PGRST108, 118,
/// 120, 200, 201 (embedding), 42703 (column).
[[nodiscard]] result<rest_statement> build_statement(const rest_request& what,
                                                     const rest_schema& schema,
                                                     std::int64_t max_rows);

} // namespace jessica::storage
