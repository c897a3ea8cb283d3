// Runs the same relay scenario against Jessica and the peer, in turns, and compares.
#pragma once

#include "bench/load/relay.hpp"
#include "bench/load/report.hpp"

#include <chrono>
#include <functional>

namespace jessica::bench {

/// What a contender did in one round.
struct relay_score {
  std::uint64_t frames = 0; ///< delivered
  std::chrono::nanoseconds took{};
  std::chrono::microseconds cpu{}; ///< of the server
  std::uint64_t faults = 0;        ///< frames missing or out of order
  histogram delay;                 ///< from send to delivery; may be empty
};

/// Delivers so many frames. What it takes to wait, it waits itself.
using relay_trial = std::function<result<relay_score>(relay&, std::size_t frames)>;

/// A short unreported trial for each, then the rounds; who begins changes each time.
[[nodiscard]] result<std::vector<round>> hold_contest(const settings& how,
                                                      relay& jessica, relay& peer,
                                                      const relay_trial& trial);

} // namespace jessica::bench
