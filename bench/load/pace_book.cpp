#include "bench/load/pace_book.hpp"

#include <algorithm>

namespace jessica::bench {

std::chrono::nanoseconds pace_book::due(std::uint64_t token) const {
  return std::chrono::nanoseconds{std::nano::den} *
         static_cast<std::int64_t>(token - 1) / static_cast<std::int64_t>(pace_);
}

void pace_book::take(std::uint64_t first, std::uint64_t last, time_point at) {
  if (first > 0 && first <= last)
    arrivals_.push_back({first, last, at});
}

void pace_book::settle(histogram& late) {
  auto start = time_point::max();
  for (const auto& one : arrivals_)
    start = std::min(start, one.at - due(one.last));
  for (const auto& one : arrivals_)
    for (auto token = one.first; token <= one.last; ++token)
      late.record(one.at - due(token) - start);
  clear();
}

} // namespace jessica::bench
