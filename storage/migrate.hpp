// Brings a database to the schema of storage/migrations, which the binary carries.
#pragma once

#include "domain/error.hpp"
#include "storage/endpoint.hpp"

#include <chrono>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::storage {

struct migration {
  std::string_view name; ///< file name without .sql
  std::string_view sql;
  bool self_hosted_only = false; ///< skipped where a hosted project has it already
};

/// The migrations the binary carries, in order.
[[nodiscard]] std::span<const migration> migrations();

struct migration_report {
  std::vector<std::string> applied; ///< now, in order
  std::size_t already = 0;
};

/// Applies what is missing, each in one transaction, under an advisory lock, recorded
/// with its sha256 in jessica_migrations.applied. Two starters at once are safe.
/// Fails: conflict (a file that was applied has been edited: names it), unavailable
/// (database not reachable within `wait` or before `give_up` says so, or another server
/// still migrates it), invalid_input (PostgreSQL too old, no pgvector), internal (a
/// migration failed: names it). The log says why it waits.
[[nodiscard]] result<migration_report>
migrate(const endpoint& where, std::span<const migration> all,
        std::chrono::seconds wait, const std::function<bool()>& give_up = {});

} // namespace jessica::storage
