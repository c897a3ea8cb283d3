// How many clients of a node are in a channel, and how many may be.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

namespace jessica::actors {

/// Any thread.
class crowd {
public:
  /// A client's place, as long as it lives.
  class place {
  public:
    explicit place(std::shared_ptr<crowd> in) noexcept : in_(std::move(in)) {}
    place(place&&) noexcept = default;
    place& operator=(place&&) = delete;
    ~place() {
      if (in_)
        in_->taken_.fetch_sub(1, std::memory_order_relaxed);
    }

  private:
    std::shared_ptr<crowd> in_;
  };

  /// Nullopt: there are `limit` already.
  [[nodiscard]] static std::optional<place> enter(const std::shared_ptr<crowd>& in,
                                                  std::size_t limit) noexcept {
    if (in->taken_.fetch_add(1, std::memory_order_relaxed) < limit)
      return place{in};
    in->taken_.fetch_sub(1, std::memory_order_relaxed);
    return std::nullopt;
  }

private:
  std::atomic<std::size_t> taken_{0};
};

} // namespace jessica::actors
