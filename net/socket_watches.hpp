// Sockets of actors, watched by the reactors: that one is ready becomes a message, and
// the actor runs where the loop saw it.
#pragma once

#include "actors/socket_watch.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace jessica::net {

class asker;

/// Those that one reactor watches.
class watched_sockets : public std::enable_shared_from_this<watched_sockets> {
public:
  using number = std::uint64_t;

  /// `to` sends the messages.
  watched_sockets(boost::asio::io_context& loop, asker& to) : loop_(&loop), to_(to) {}

  /// Any thread; what is asked of a closed one has no effect.
  void add(number which, int socket, caf::strong_actor_ptr whom, caf::message what);
  void arm(number which, bool writing);
  void remove(number which);
  /// Watches no more. On the loop's thread, or when it has ended. Idempotent.
  void close();

private:
  struct watched {
    boost::asio::posix::stream_descriptor socket;
    caf::strong_actor_ptr whom;
    caf::message what;
    bool reading = false; ///< waited for
    bool writing = false;
  };

  template <class Work> void on_loop(Work work);
  void wait(number which, bool watched::* flag,
            boost::asio::posix::descriptor_base::wait_type how);

  /// Recursive: what an actor leaves behind may be another seat.
  std::recursive_mutex lock_;
  boost::asio::io_context* loop_; ///< null: closed; written under the lock
  asker& to_;
  std::unordered_map<number, watched> open_; ///< the loop's thread only
};

/// All reactors' together: a new socket goes to the next of them.
class socket_watches final : public actors::socket_watch {
public:
  void attach(std::shared_ptr<watched_sockets> reactor);
  [[nodiscard]] std::unique_ptr<seat> add(int socket, caf::strong_actor_ptr whom,
                                          caf::message what) override;

private:
  std::mutex lock_;
  std::vector<std::weak_ptr<watched_sockets>> reactors_;
  watched_sockets::number added_ = 0;
};

} // namespace jessica::net
