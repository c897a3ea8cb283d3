// Our job queue through storage/, a batch a call, beside the peers'.
#pragma once

#include "bench/load/queue_database.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace jessica::bench {

/// What a contender did in one trial.
struct queue_score {
  double enqueued = 0;      ///< jobs a second
  double processed = 0;     ///< jobs a second
  double cost = 0;          ///< processor time of a job that is processed, in us
  std::uint64_t faults = 0; ///< jobs lost, repeated or left over
};

/// Jobs are made this many at a time, here and by the peers.
inline constexpr auto enqueue_batch = std::size_t{500};
/// Before what is measured, so that statements are prepared and code is warm.
inline constexpr auto warm_up_jobs = std::size_t{1000};

/// The server's own limit; people are so many that it never counts.
inline constexpr auto jobs_of_one_user = std::size_t{8};

struct queue_work {
  std::size_t jobs = 0;
  std::size_t batch = 1; ///< jobs of a claim, and of a finish
  std::size_t connections = 2;
  bool born_leased = false; ///< leased when they are made: never claimed
};

/// Makes the jobs, then processes them; before that both with fewer, to warm up.
[[nodiscard]] result<queue_score> run_batches(queue_database& db,
                                              const queue_work& what);

/// Jobs a second when a job is all there is to store, as it is for the peers: its
/// message and its reply are there already.
[[nodiscard]] result<double> run_bare_inserts(queue_database& db, std::size_t jobs);

// --- what every way to process our jobs needs ----------------------------------------

struct queued_jobs {
  std::vector<job_id> ids;
  std::chrono::nanoseconds took{};
};
/// Empties the tables, then makes so many jobs on two connections, each with its
/// message and its reply. Leased to `lease`, or (0) waiting to be claimed.
[[nodiscard]] result<queued_jobs> enqueue_jobs(queue_database& db, lease_id lease,
                                               std::size_t jobs);

[[nodiscard]] result<std::vector<job>> claim_jobs(storage::connection& db,
                                                  lease_id lease, std::size_t want);
[[nodiscard]] outcome outcome_of(job_id id);

struct processed_jobs {
  std::size_t finished = 0;
  std::chrono::nanoseconds took{};
  std::chrono::microseconds cost{};
};
[[nodiscard]] result<queue_score> score_of(queue_database& db, const queued_jobs& made,
                                           const processed_jobs& done);

} // namespace jessica::bench
