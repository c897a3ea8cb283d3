// What a REST request must cost at least: its statement alone, through libpq, in a
// transaction that begins with role and claims, on as many connections.
#pragma once

#include "bench/load/histogram.hpp"
#include "domain/identity.hpp"
#include "storage/connection.hpp"
#include "storage/endpoint.hpp"

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace jessica::bench {

struct floor_score {
  std::uint64_t done = 0;
  std::chrono::nanoseconds took{};
  std::chrono::microseconds postgres{}; ///< processor time
  std::chrono::microseconds client{};   ///< processor time of this process
  histogram waited;
};

/// The n-th transaction of a lane: who asks, and what.
struct floor_work {
  identity who;
  storage::statement what;
};
using next_work = std::function<floor_work(std::size_t lane, std::uint64_t n)>;

/// Fails as connection::run() does.
[[nodiscard]] result<floor_score> run_floor(const storage::endpoint& where,
                                            pid_t postmaster, std::size_t lanes,
                                            std::chrono::milliseconds length,
                                            bool writes, const next_work& next);

} // namespace jessica::bench
