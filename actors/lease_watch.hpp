// Until when a node may speak for the jobs of one lease.
#pragma once

#include <atomic>
#include <chrono>

namespace jessica::actors {

/// One a lease. DISPATCHER extends it with each renewal; an INFERENCE holds its tokens
/// back while it has run out, because another node may run the job by then: a process
/// that was frozen says nothing when it wakes up. Any thread.
class lease_watch {
public:
  using time_point = std::chrono::steady_clock::time_point;

  void extend(time_point until) noexcept {
    until_.store(until.time_since_epoch().count(), std::memory_order_relaxed);
  }
  /// The lease is lost for good.
  void end() noexcept { extend(time_point::min()); }

  [[nodiscard]] bool held(time_point now) const noexcept {
    return now.time_since_epoch().count() < until_.load(std::memory_order_relaxed);
  }

private:
  std::atomic<time_point::rep> until_{time_point::min().time_since_epoch().count()};
};

} // namespace jessica::actors
