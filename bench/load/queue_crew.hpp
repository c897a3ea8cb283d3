// Our jobs one by one, as the server runs them: many workers, each finishing its own
// job through PERSISTENCE, which groups what waits into one commit.
#pragma once

#include "bench/load/queue_batches.hpp"

#include <cstddef>

namespace jessica::bench {

/// `workers` jobs are under way at once; free workers are given jobs by one claimer.
/// Makes the jobs, then processes them; before that both with fewer, to warm up.
/// Main thread; all threads it starts have ended when it returns.
[[nodiscard]] result<queue_score> run_crew(queue_database& db, std::size_t jobs,
                                           std::size_t workers);

} // namespace jessica::bench
