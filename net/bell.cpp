#include "net/bell.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace jessica::net {

namespace asio = boost::asio;

void bell_rope::pull() {
  const auto hold = std::lock_guard{lock_};
  if (at_ == nullptr || std::exchange(pulled_, true))
    return;
  // Under the lock: as long as the bell is there its reactor is, too.
  asio::post(reactor_, [self = at_->rope_] {
    {
      const auto again = std::lock_guard{self->lock_};
      self->pulled_ = false;
    }
    if (self->at_ != nullptr)
      self->at_->ring();
  });
}

bell::bell(asio::any_io_executor reactor, std::function<void()> heard)
    : heard_(std::move(heard)),
      timer_(reactor),
      rope_(std::make_shared<bell_rope>(*this, std::move(reactor))) {}

bell::~bell() {
  const auto hold = std::lock_guard{rope_->lock_};
  rope_->at_ = nullptr;
}

void bell::ring() {
  rung_ = true;
  timer_.cancel();
  if (heard_)
    heard_();
}

asio::awaitable<void> bell::wait() {
  while (!rung_) {
    timer_.expires_at(asio::steady_timer::time_point::max());
    co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  rung_ = false;
}

} // namespace jessica::net
