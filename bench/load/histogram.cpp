#include "bench/load/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace jessica::bench {
namespace {

/// Below 2^exact_bits each nanosecond has a bucket of its own; above, every power of
/// two is divided into 2^(exact_bits - 1) of them.
constexpr auto exact_bits = 7;
constexpr auto steps = std::uint64_t{1} << (exact_bits - 1);

[[nodiscard]] std::size_t bucket_of(std::uint64_t value) {
  const auto shift = std::max(0, static_cast<int>(std::bit_width(value)) - exact_bits);
  return static_cast<std::size_t>(static_cast<std::uint64_t>(shift) * steps +
                                  (value >> shift));
}

/// The largest value of a bucket.
[[nodiscard]] std::uint64_t upper_edge(std::size_t bucket) {
  if (bucket < 2 * steps)
    return bucket;
  const auto shift = bucket / steps - 1;
  const auto step = bucket - shift * steps;
  return ((step + 1) << shift) - 1;
}

} // namespace

void histogram::record(nanoseconds what) {
  const auto value =
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, what.count()));
  const auto bucket = bucket_of(value);
  if (bucket >= buckets_.size())
    buckets_.resize(bucket + 1);
  ++buckets_[bucket];
  ++count_;
  highest_ = std::max(highest_, value);
}

histogram::nanoseconds histogram::percentile(double share) const {
  const auto wanted = std::ceil(share * static_cast<double>(count_));
  auto passed = std::uint64_t{0};
  for (auto i = std::size_t{0}; i < buckets_.size(); ++i) {
    passed += buckets_[i];
    if (passed > 0 && static_cast<double>(passed) >= wanted)
      return nanoseconds{std::min(upper_edge(i), highest_)};
  }
  return {};
}

} // namespace jessica::bench
