// From the log's order to what queries see: a commit is in the log a moment before
// other sessions see its rows.
#pragma once

#include "domain/error.hpp"
#include "storage/connection.hpp"

#include <chrono>
#include <cstdint>
#include <span>

namespace jessica::storage {

/// Waits until every later query sees what transaction `xid` did (feed_piece::xid; 0 is
/// in no transaction and waits for nothing). Fails: timeout, and as connection::run.
[[nodiscard]] result<void> wait_until_visible(connection& db, std::uint32_t xid,
                                              std::chrono::milliseconds limit);
/// The same for several of them, none of which is 0.
[[nodiscard]] result<void> wait_until_visible(connection& db,
                                              std::span<const std::uint32_t> xids,
                                              std::chrono::milliseconds limit);

} // namespace jessica::storage
