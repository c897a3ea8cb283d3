// How another thread wakes a coroutine of a reactor.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <mutex>

namespace jessica::net {

class bell;

/// Any thread may hold one, longer than bell and reactor live.
class bell_rope {
public:
  bell_rope(bell& at, boost::asio::any_io_executor reactor)
      : at_(&at), reactor_(std::move(reactor)) {}

  /// Many pulls before the reactor hears of them count as one.
  void pull();

private:
  friend class bell;

  std::mutex lock_;
  bell* at_;            ///< null: it is gone; written by the reactor under the lock
  bool pulled_ = false; ///< the reactor is going to hear of it
  boost::asio::any_io_executor reactor_;
};

/// Lives on one reactor.
class bell {
public:
  /// `heard`: called at each ring, before who waits goes on; may be empty.
  bell(boost::asio::any_io_executor reactor, std::function<void()> heard);
  ~bell(); ///< its rope does nothing from now on
  bell(const bell&) = delete;
  bell& operator=(const bell&) = delete;

  [[nodiscard]] const std::shared_ptr<bell_rope>& rope() const noexcept {
    return rope_;
  }
  /// Until it rings, or has rung since the last wait. It may ring for nothing. One
  /// coroutine at a time.
  [[nodiscard]] boost::asio::awaitable<void> wait();
  /// The reactor's own thread: as a pull that was heard already.
  void ring();

private:
  friend class bell_rope;

  std::function<void()> heard_;
  boost::asio::steady_timer timer_;
  bool rung_ = false;
  std::shared_ptr<bell_rope> rope_;
};

} // namespace jessica::net
