// How many replies a provider writes at once, and who waits for that in turn.
#pragma once

#include "engines/interruption.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

namespace jessica::engines {

/// On the engine's loop; outlives its slots.
class slots {
public:
  slots(std::size_t most, std::size_t most_waiting)
      : free_(most), most_waiting_(most_waiting) {}

  /// A place, given back when it ends.
  class slot {
  public:
    slot() = default;
    explicit slot(slots& from) noexcept : from_(&from) {}
    slot(slot&& other) noexcept : from_(std::exchange(other.from_, nullptr)) {}
    slot& operator=(slot&& other) noexcept {
      std::swap(from_, other.from_);
      return *this;
    }
    ~slot() {
      if (from_ != nullptr)
        from_->give_back();
    }
    [[nodiscard]] explicit operator bool() const noexcept { return from_ != nullptr; }

  private:
    slots* from_ = nullptr;
  };

  /// Waits in turn until `by` is cut. An empty slot: it was, or too many wait already.
  [[nodiscard]] boost::asio::awaitable<slot> take(interruption& by);

  [[nodiscard]] std::size_t waiting() const noexcept { return queue_.size(); }
  /// What take() would give at once.
  [[nodiscard]] bool is_free() const noexcept { return free_ > 0; }

private:
  /// On its coroutine's frame.
  struct waiter {
    waiter(slots& in, interruption& by);
    ~waiter();
    waiter(const waiter&) = delete;
    waiter& operator=(const waiter&) = delete;
    slots& in;
    interruption& by;
    bool granted = false;
  };

  void give_back() noexcept;

  std::size_t free_;
  std::size_t most_waiting_;
  std::deque<waiter*> queue_;
};

} // namespace jessica::engines
