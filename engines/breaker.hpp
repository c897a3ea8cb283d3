// A circuit breaker: after failures in a row a provider is left alone for a while, then
// one reply tries it. Pure: it is told the time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace jessica::engines {

class breaker {
public:
  using clock = std::chrono::steady_clock;
  enum class state : std::uint8_t { closed, probing, open };

  breaker(std::size_t failures, clock::duration pause)
      : most_(failures), pause_(pause) {}

  /// May a reply ask now? True while closed; true once when the pause is over: that
  /// reply is the probe, and succeeded(), failed() or unused() must follow.
  [[nodiscard]] bool allow(clock::time_point now) noexcept {
    if (state_ == state::closed)
      return true;
    if (state_ == state::probing || now < until_)
      return false;
    state_ = state::probing;
    return true;
  }
  void succeeded() noexcept {
    state_ = state::closed;
    failures_ = 0;
  }
  /// True when it opens now.
  bool failed(clock::time_point now) noexcept {
    ++failures_;
    if (state_ == state::closed && failures_ < most_)
      return false;
    if (state_ == state::open)
      return false; // one that was under way before
    state_ = state::open;
    until_ = now + pause_;
    return true;
  }
  /// The reply that was allowed ended without telling anything about the provider.
  void unused() noexcept {
    if (state_ == state::probing)
      state_ = state::open; // its pause is over: the next one may try
  }
  [[nodiscard]] state now_is() const noexcept { return state_; }

private:
  std::size_t most_;
  clock::duration pause_;
  state state_ = state::closed;
  std::size_t failures_ = 0; ///< in a row
  clock::time_point until_;
};

} // namespace jessica::engines
