// The npm packages that are beside our job queue, each trial a node process of its own.
#pragma once

#include "bench/load/queue_batches.hpp"
#include "bench/load/settings.hpp"

#include <cstddef>
#include <filesystem>
#include <string>

namespace jessica::bench {

struct peer_work {
  std::string script; ///< beside settings.peer
  std::size_t jobs = 0;
  std::size_t batch = 1;
  std::size_t connections = 2; ///< graphile-worker: its concurrency
};

/// On a database of its own of the same cluster, made anew. `home` takes what it
/// prints. Main thread, while there is no other.
[[nodiscard]] result<queue_score> run_peer(const settings& how,
                                           const queue_database& db,
                                           const std::filesystem::path& home,
                                           const peer_work& what);

} // namespace jessica::bench
