#include "engines/interruption.hpp"

#include <utility>

namespace jessica::engines {

namespace asio = boost::asio;

/// Shared with its own handler, which may run when the interruption is gone.
struct interruption::timer {
  explicit timer(asio::io_context& loop, interruption& of) : clock(loop), owner(&of) {}

  static void arm(const std::shared_ptr<timer>& self) {
    self->armed = true;
    self->wakes = self->limit;
    self->clock.expires_at(self->limit);
    self->clock.async_wait([self](const boost::system::error_code& ec) {
      self->armed = false;
      if (self->owner == nullptr || self->limit == clock_type::time_point::max())
        return;
      if (!ec && self->limit <= clock_type::now())
        self->owner->cut(cut_reason::late);
      else
        arm(self);
    });
  }

  using clock_type = interruption::clock;
  asio::steady_timer clock;
  interruption* owner; ///< null: gone
  clock_type::time_point limit = clock_type::time_point::max();
  clock_type::time_point wakes;
  bool armed = false;
};

interruption::interruption(asio::io_context& loop)
    : bell_(loop), timer_(std::make_shared<timer>(loop, *this)) {}

interruption::~interruption() {
  timer_->owner = nullptr;
  timer_->clock.cancel();
}

void interruption::cut(cut_reason why) noexcept {
  if (!why_)
    why_ = why;
  if (open_ != nullptr)
    open_->close();
  bell_.cancel();
}

void interruption::set_limit(clock::time_point at) {
  timer_->limit = at;
  if (!timer_->armed)
    timer::arm(timer_);
  else if (at < timer_->wakes)
    timer_->clock.cancel(); // its handler arms it again
}

void interruption::clear_limit() noexcept {
  timer_->limit = clock::time_point::max();
}

void interruption::forgive_lateness() noexcept {
  if (why_ == cut_reason::late)
    why_.reset();
}

} // namespace jessica::engines
