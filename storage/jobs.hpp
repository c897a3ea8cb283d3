// The job queue: a node's lease, claims, retries. Role: engine.
#pragma once

#include "domain/chat.hpp"
#include "domain/error.hpp"
#include "storage/connection.hpp"

#include <chrono>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace jessica::storage {

/// Registers this incarnation of a node.
[[nodiscard]] result<lease_id> join_node(connection& db, std::string_view node,
                                         std::chrono::seconds lease);
/// False: the lease is gone, its jobs may run elsewhere: stop all and join again.
[[nodiscard]] result<bool> renew(connection& db, lease_id lease,
                                 std::chrono::seconds time);
/// Gives the lease back: its unfinished jobs are queued at once; the next claim
/// is a new attempt, but no strike.
[[nodiscard]] result<void> leave_node(connection& db, lease_id lease);
/// Puts jobs of dead nodes back; returns how many.
[[nodiscard]] result<std::int64_t> sweep(connection& db);
/// Takes up to `want` ready inference jobs.
[[nodiscard]] result<std::vector<job>> claim(connection& db, lease_id lease,
                                             std::size_t want);
/// Retry with backoff, or dead with the error on the reply; `lost` when not ours.
[[nodiscard]] result<std::vector<job_status>>
fail_jobs(connection& db, lease_id lease, std::span<const failure> failures);

} // namespace jessica::storage
