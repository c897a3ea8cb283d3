// Durations in buckets that grow with the value: percentiles of millions of samples
// from a few thousand counters.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace jessica::bench {

/// One thread.
class histogram {
public:
  using nanoseconds = std::chrono::nanoseconds;

  /// A negative duration counts as zero.
  void record(nanoseconds what);

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  /// A duration that `share` (0 to 1) of the samples do not exceed; at most 1/64 too
  /// large. Zero without samples.
  [[nodiscard]] nanoseconds percentile(double share) const;

private:
  std::vector<std::uint64_t> buckets_; ///< as many as the largest sample needed
  std::uint64_t count_ = 0;
  std::uint64_t highest_ = 0;
};

} // namespace jessica::bench
