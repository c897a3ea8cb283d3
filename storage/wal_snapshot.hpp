// Reads in a snapshot that another connection exported: what the change feed continues.
#pragma once

#include "domain/error.hpp"
#include "storage/connection.hpp"

#include <span>
#include <string_view>
#include <vector>

namespace jessica::storage {

/// Runs statements as one read-only transaction that sees an exported snapshot, in one
/// round trip; their rows. Fails as connection::run does, with invalid_input when the
/// snapshot is no more.
[[nodiscard]] result<std::vector<rows>>
run_in_snapshot(connection& db, std::string_view snapshot,
                std::span<const statement> statements);

} // namespace jessica::storage
