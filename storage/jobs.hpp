// The job queue: a node's lease, claims, retries. Role: engine.
#pragma once

#include "domain/chat.hpp"
#include "domain/error.hpp"
#include "storage/connection.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
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
/// Which jobs a node can take.
struct claim_wish {
  std::size_t want = 0;      ///< at most so many
  std::size_t each = 1;      ///< at most so many of one user
  std::vector<user_id> skip; ///< users who have as many running as they may
};
/// Jobs taken under a lease, by priority and age, users in turns.
struct claimed_jobs {
  std::vector<job> jobs;
  /// Until the next one may be taken with the same wish; zero: there is one already.
  /// Nullopt: none waits.
  std::optional<std::chrono::milliseconds> next_due;
};
[[nodiscard]] result<claimed_jobs> claim(connection& db, lease_id lease,
                                         const claim_wish& wish);
/// Running jobs, of any node, whose users want them stopped, as of a snapshot that
/// wal_stream exported.
[[nodiscard]] result<std::vector<job_id>> cancelled_jobs(connection& db,
                                                         std::string_view snapshot);
/// The jobs that `lease` holds, as the database has it.
[[nodiscard]] result<std::vector<job_id>> held_jobs(connection& db, lease_id lease);
/// Makes jobs of `lease` ready again, as a new attempt without a strike; how many.
[[nodiscard]] result<std::int64_t> hand_back(connection& db, lease_id lease,
                                             std::span<const job_id> jobs);
/// Retry with backoff, or dead with the error on the reply; `lost` when not ours.
[[nodiscard]] result<std::vector<job_status>>
fail_jobs(connection& db, lease_id lease, std::span<const failure> failures);

} // namespace jessica::storage
