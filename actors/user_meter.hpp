// How much one user's sockets do together. Shared by their SESSIONs, without locks.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace jessica::actors {

/// Counts what happens within each second of the clock. Any thread.
class shared_rate {
public:
  /// Adds `amount`; false: that is more than `limit` within this second.
  [[nodiscard]] bool take(std::chrono::steady_clock::time_point now, std::size_t amount,
                          std::size_t limit) noexcept {
    constexpr auto low = std::uint64_t{0xffff'ffff};
    const auto second = static_cast<std::uint64_t>(
        std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count());
    auto seen = state_.load(std::memory_order_relaxed);
    for (;;) {
      const auto used = (seen >> 32U) == (second & low) ? seen & low : 0;
      const auto next = std::min(used + std::min<std::uint64_t>(amount, low), low);
      if (state_.compare_exchange_weak(seen, (second << 32U) | next,
                                       std::memory_order_relaxed))
        return next <= limit;
    }
  }

private:
  std::atomic<std::uint64_t> state_{0}; ///< the second, and what it has seen
};

struct user_meter {
  shared_rate joins;
  shared_rate events;
  shared_rate bytes;
};

} // namespace jessica::actors
