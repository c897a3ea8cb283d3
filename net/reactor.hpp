// One event loop on one thread, and what all its connections share: their deadlines,
// their way to the actors, the lane of frames to their clients.
#pragma once

#include "actors/protocol.hpp"
#include "domain/error.hpp"
#include "net/asker.hpp"
#include "net/frame_stream.hpp"
#include "net/server.hpp"
#include "net/socket_watches.hpp"
#include "net/ws_outbox.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace jessica::net {

/// The connections of all reactors: how many there may be, and when the last is gone.
class connection_count {
public:
  explicit connection_count(std::size_t limit) : limit_(limit) {}

  /// False at the limit. Any thread.
  [[nodiscard]] bool take() noexcept;
  void give_back() noexcept;
  /// Waits until there is none; false when `limit` passed first.
  bool wait_for_none(std::chrono::milliseconds limit);

private:
  std::size_t limit_;
  std::atomic<std::size_t> open_{0};
  std::mutex lock_;
  std::condition_variable none_;
};

/// A connection's place in the count, as long as it lives.
class connection_permit {
public:
  explicit connection_permit(connection_count& count) noexcept : count_(&count) {}
  connection_permit(connection_permit&& other) noexcept
      : count_(std::exchange(other.count_, nullptr)) {}
  connection_permit& operator=(connection_permit&&) = delete;
  ~connection_permit() {
    if (count_)
      count_->give_back();
  }

private:
  connection_count* count_;
};

/// What a reactor knows of a connection. Reactor thread only.
class connection {
public:
  virtual void cut() noexcept = 0;          ///< end at once
  virtual void expire() noexcept { cut(); } ///< its deadline passed
  virtual void retire() noexcept = 0;       ///< the server stops: finish, then end
  /// It has no limit, now and then: is its client still there?
  virtual void look() noexcept {}

protected:
  ~connection() = default;

private:
  friend class reactor;
  std::size_t place_ = 0;
};

/// Everything but run(), stop() and post() belongs to the reactor's own thread.
class reactor {
public:
  using clock = std::chrono::steady_clock;

  reactor(const backend& with, const responder& routes, connection_count& count);
  ~reactor(); ///< after run(); frees what never ended

  /// Runs until stop(). The calling thread is the reactor's.
  void run();
  void stop() noexcept { context_.stop(); } ///< any thread
  /// Any thread: `what` runs on the reactor.
  void post(std::function<void()> what);

  void add(connection& who, std::chrono::milliseconds limit);
  void remove(connection& who) noexcept;
  /// One deadline a connection, looked at every 200 ms: then expire().
  void set_limit(connection& who, std::chrono::milliseconds limit) noexcept;
  void clear_limit(connection& who) noexcept;

  /// Asks all connections to end.
  void retire_all();
  /// Ends all connections and questions; actors can no longer reach this reactor.
  void cut_all();

  [[nodiscard]] boost::asio::io_context& context() noexcept { return context_; }
  [[nodiscard]] const backend& with() const noexcept { return with_; }
  [[nodiscard]] const responder& routes() const noexcept { return routes_; }
  [[nodiscard]] connection_count& count() noexcept { return count_; }
  [[nodiscard]] asker& actors() noexcept { return asker_; }
  /// asker::ask_now, and the frames it gives to clients of this reactor leave at once.
  template <class T, class Handle, class Message, class Then>
  void ask_now(const Handle& whom, Message what, std::chrono::milliseconds limit,
               Then then) {
    lane_->hold();
    asker_.ask_now<T>(whom, std::move(what), limit, std::move(then));
  }
  [[nodiscard]] const std::shared_ptr<outbox_lane>& lane() noexcept { return lane_; }
  [[nodiscard]] ws_traffic& traffic() noexcept { return traffic_; }
  [[nodiscard]] bool retiring() const noexcept { return retiring_; }

private:
  /// Can drop its handlers while what they refer to still stands.
  struct loop : boost::asio::io_context {
    loop() : io_context(1) {}
    using boost::asio::execution_context::shutdown;
  };
  struct entry {
    connection* who;
    clock::time_point deadline;
  };

  void tick();
  void look_at_all();
  void report_traffic();
  std::vector<connection*> all() const;

  const backend& with_;
  const responder& routes_;
  connection_count& count_;
  loop context_;
  boost::asio::steady_timer timer_{context_};
  std::shared_ptr<outbox_lane> lane_;
  asker asker_;
  std::shared_ptr<watched_sockets> watched_; ///< null: nobody needs any
  ws_traffic traffic_;
  std::vector<entry> open_;
  bool retiring_ = false;
};

} // namespace jessica::net
