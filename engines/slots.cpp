#include "engines/slots.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace jessica::engines {

namespace asio = boost::asio;

slots::waiter::waiter(slots& which, interruption& who) : in(which), by(who) {
  in.queue_.push_back(this);
}

slots::waiter::~waiter() {
  std::erase(in.queue_, this);
}

asio::awaitable<slots::slot> slots::take(interruption& by) {
  if (free_ > 0) {
    --free_;
    co_return slot{*this};
  }
  if (queue_.size() >= most_waiting_)
    co_return slot{};
  auto self = waiter{*this, by};
  while (!self.granted && !by.why()) {
    by.bell().expires_at(interruption::clock::time_point::max());
    co_await by.bell().async_wait(asio::as_tuple(asio::use_awaitable));
  }
  // Granted and cut at once: the slot goes back when the caller drops it.
  co_return self.granted ? slot{*this} : slot{};
}

void slots::give_back() noexcept {
  if (queue_.empty()) {
    ++free_;
    return;
  }
  auto* const next = queue_.front();
  queue_.pop_front();
  next->granted = true;
  next->by.bell().cancel();
}

} // namespace jessica::engines
