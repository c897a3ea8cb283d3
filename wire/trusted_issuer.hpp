// Another server whose users we let in: its name, and the keys it signs their tokens
// with.
#pragma once

#include "wire/key_ring.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>

namespace jessica::wire {

/// Shared by all who verify tokens and the one who fetches the keys. Any thread.
class trusted_issuer {
public:
  /// `name`: the `iss` of its tokens. `secret`: of its HS256 tokens; empty: it has
  /// none.
  trusted_issuer(std::string name, std::string secret)
      : name_(std::move(name)), secret_(std::move(secret)) {}

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const std::string& secret() const noexcept { return secret_; }

  /// Never null; empty until somebody fetched them.
  [[nodiscard]] std::shared_ptr<const key_ring> keys() const;
  /// Grows with each use(): what was verified before is to be verified again.
  [[nodiscard]] std::uint64_t version() const noexcept {
    return version_.load(std::memory_order_acquire);
  }
  /// From now on these.
  void use(key_ring keys);

  /// A token named a key that is not among them: perhaps it is new. Cheap, never waits
  /// for who fetches.
  void miss() noexcept;
  /// Waits for a miss since the last call, or `limit`, or the stop. True: there was a
  /// miss.
  [[nodiscard]] bool wait_for_miss(const std::stop_token& stop,
                                   std::chrono::milliseconds limit);

private:
  std::string name_;
  std::string secret_;
  mutable std::mutex lock_;
  std::condition_variable_any missed_here_;
  std::shared_ptr<const key_ring> keys_ = std::make_shared<const key_ring>();
  std::atomic<std::uint64_t> version_{0};
  std::atomic<bool> missed_{false};
};

} // namespace jessica::wire
