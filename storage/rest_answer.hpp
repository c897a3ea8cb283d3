// How a REST request's transaction begins, and what its rows mean. Private to this
// room and its tests.
#pragma once

#include "domain/error.hpp"
#include "domain/rest.hpp"
#include "storage/connection.hpp"
#include "storage/rest_line.hpp"
#include "storage/rest_schema.hpp"
#include "storage/rest_statement.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace jessica::storage {

/// Makes the rest of the transaction run as the asker.
[[nodiscard]] statement become_of(const rest_request& what, const rest_schema& schema,
                                  access mode, rest_limits limits, commits how);

/// From the rows of the main statement, and of the estimate when there is one.
[[nodiscard]] rest_reply reply_of(const rest_request& what, const rest_statement& made,
                                  std::span<const rows> all, std::int64_t max_rows);

/// What makes an answer of so many rows a failure: PGRST116, PGRST124.
[[nodiscard]] result<void> check_rows(const rest_request& what, bool nothing,
                                      std::int64_t rows);

/// Does it take the rows to know whether to commit?
[[nodiscard]] bool to_be_judged(const rest_request& what, const rest_statement& made);

/// Did the transaction fail at the time zone the asker prefers?
[[nodiscard]] bool unknown_time_zone(const error& why, const rest_request& what);

} // namespace jessica::storage
