// Runs the same relay scenario against Jessica and the peers, in turns, and compares.
#pragma once

#include "bench/load/relay.hpp"
#include "bench/load/report.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <span>

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

/// What to compare: `mode` of the peers, and the topics of Jessica's clients, one each.
struct contest {
  std::string_view mode;
  std::span<const seat> topics;
  bool self = false; ///< own broadcasts come back
};

/// Starts Jessica and the peers asked for, all on one core when they are to be pinned,
/// then a short unreported trial for each, then the rounds; who begins changes each
/// time. Main thread, before others are started.
[[nodiscard]] result<std::vector<round>>
hold_contest(const settings& how, const contest& what, const relay_trial& trial);

/// The rounds' measures: of every contender, and the first one's beside each other's.
[[nodiscard]] round compare(std::span<const std::string> names,
                            std::span<const relay_score> scores);

} // namespace jessica::bench
