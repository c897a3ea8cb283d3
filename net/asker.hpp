// Requests from a reactor's coroutines to actors, without an actor or a thread a
// request: one CAF companion a reactor receives the answers and posts them back to it.
#pragma once

#include "actors/errors.hpp"
#include "domain/error.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <caf/fwd.hpp>
#include <caf/message.hpp>

#include <chrono>
#include <memory>
#include <utility>

namespace jessica::net {

/// Lives on one reactor; call only from it.
class asker {
public:
  asker(caf::actor_system& actors, boost::asio::any_io_executor reactor);
  ~asker(); ///< open questions end with unavailable
  asker(const asker&) = delete;
  asker& operator=(const asker&) = delete;

  /// Sends `what` to a typed actor and waits for its answer T. Fails with the actor's
  /// domain error, timeout after `limit`, or unavailable when the actor is gone.
  template <class T, class Handle, class Message>
  boost::asio::awaitable<result<T>> ask(Handle whom, Message what,
                                        std::chrono::milliseconds limit);

private:
  struct state;
  std::shared_ptr<state> state_;
  /// The untyped exchange all instances of ask() share; defined in asker.cpp.
  boost::asio::awaitable<result<caf::message>>
  exchange(caf::strong_actor_ptr whom, caf::message what,
           std::chrono::milliseconds limit);
};

} // namespace jessica::net
