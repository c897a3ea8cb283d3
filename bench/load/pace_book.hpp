// How late the tokens of a stream come that is written at a known pace.
#pragma once

#include "bench/load/histogram.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace jessica::bench {

/// Token n is due (n - 1) / pace after the stream's start. Nobody tells a client when
/// that was, so a stream starts at the latest moment at which none of its tokens has
/// come too early: one of them is on time, and all others are late against the same
/// clock. A pause in the middle makes every token late that it has held up, not only
/// the first of them.
class pace_book {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// At least 1 token a second.
  explicit pace_book(std::size_t tokens_per_second) : pace_(tokens_per_second) {}

  /// Tokens `first` to `last`, counted from 1, came together.
  void take(std::uint64_t first, std::uint64_t last, time_point at);
  /// The stream is over: how late each token was goes to `late`, and the next begins.
  void settle(histogram& late);
  /// Forgets a stream that begins again.
  void clear() noexcept { arrivals_.clear(); }

private:
  struct arrival {
    std::uint64_t first;
    std::uint64_t last;
    time_point at;
  };

  [[nodiscard]] std::chrono::nanoseconds due(std::uint64_t token) const;

  std::size_t pace_;
  std::vector<arrival> arrivals_;
};

} // namespace jessica::bench
