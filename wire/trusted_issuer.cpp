#include "wire/trusted_issuer.hpp"

#include <utility>

namespace jessica::wire {

std::shared_ptr<const key_ring> trusted_issuer::keys() const {
  const auto held = std::scoped_lock{lock_};
  return keys_;
}

void trusted_issuer::use(key_ring keys) {
  auto fresh = std::make_shared<const key_ring>(std::move(keys));
  const auto held = std::scoped_lock{lock_};
  keys_ = std::move(fresh);
  version_.fetch_add(1, std::memory_order_release);
}

void trusted_issuer::miss() noexcept {
  if (missed_.exchange(true))
    return;
  // Who waits has either seen the flag or is asleep: not between the two.
  {
    const auto held = std::scoped_lock{lock_};
  }
  missed_here_.notify_one();
}

bool trusted_issuer::wait_for_miss(const std::stop_token& stop,
                                   std::chrono::milliseconds limit) {
  auto held = std::unique_lock{lock_};
  missed_here_.wait_for(held, stop, limit, [this] { return missed_.load(); });
  return missed_.exchange(false);
}

} // namespace jessica::wire
