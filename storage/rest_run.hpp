// One REST request as one transaction: role, claims and settings, then the statement.
#pragma once

#include "domain/error.hpp"
#include "domain/rest.hpp"
#include "storage/connection.hpp"
#include "storage/rest_schema.hpp"

#include <chrono>
#include <cstdint>

namespace jessica::storage {

struct rest_limits {
  std::int64_t max_rows = 1000; ///< of one answer, and of each embedded list
  /// Of a statement, for roles without a limit of their own.
  std::chrono::milliseconds statement_timeout{8000};
};

/// Carries `what` out as `what.who`; row security, grants and limits of the role hold.
/// Nothing is stored when it fails. Fails with `sql` filled as PostgreSQL said, or with
/// PostgREST's code: PGRST116, PGRST124 and those of rest_statement.hpp. Role:
/// requests.
[[nodiscard]] result<rest_reply> perform(connection& db, const rest_request& what,
                                         const rest_schema& schema, rest_limits limits);

/// May the failure come from a schema that has changed since it was read?
[[nodiscard]] bool may_be_outdated(const error& why) noexcept;

} // namespace jessica::storage
