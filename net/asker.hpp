// Requests from a reactor to actors, without an actor or a thread a request: one CAF
// companion a reactor receives the answers. Who is asked runs on the reactor's thread,
// unless it runs already elsewhere.
#pragma once

#include "actors/errors.hpp"
#include "domain/error.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/fwd.hpp>
#include <caf/message.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <utility>

namespace jessica::net {

/// Lives on one reactor; call only from it.
class asker {
public:
  /// `after_actors`: called when actors have run here, before their answers are handed
  /// out, so that what they sent is on its way when the asker goes on.
  asker(caf::actor_system& actors, boost::asio::any_io_executor reactor,
        std::function<void()> after_actors);
  ~asker(); ///< close()
  asker(const asker&) = delete;
  asker& operator=(const asker&) = delete;

  /// Sends `what` to a typed actor and waits for its answer T. Fails with the actor's
  /// domain error, timeout after `limit` (looked at every 100 ms), or unavailable when
  /// the actor is gone. An answer that comes later is dropped.
  template <class T, class Handle, class Message>
  boost::asio::awaitable<result<T>> ask(Handle whom, Message what,
                                        std::chrono::milliseconds limit);

  /// The same without a coroutine: `then` takes a result<T>, is called once, on the
  /// reactor and never before this returns.
  template <class T, class Handle, class Message, class Then>
  void ask(const Handle& whom, Message what, std::chrono::milliseconds limit,
           Then then);

  /// The same at once: what the question sets off happens before this returns, as far
  /// as it goes without waiting. So `then` may be called before this returns.
  template <class T, class Handle, class Message, class Then>
  void ask_now(const Handle& whom, Message what, std::chrono::milliseconds limit,
               Then then) {
    gather(true);
    ask<T>(whom, std::move(what), limit, std::move(then));
    gather(false);
    run();
  }

  /// A message without an answer.
  template <class Handle, class Message> void tell(const Handle& whom, Message what) {
    send(caf::actor_cast<caf::strong_actor_ptr>(whom),
         caf::make_message(std::move(what)));
  }
  void send(const caf::strong_actor_ptr& whom, caf::message what);
  /// The same at once, as ask_now(). Not from an actor.
  void send_now(const caf::strong_actor_ptr& whom, caf::message what);

  /// Open and later questions end with unavailable. Idempotent.
  void close() noexcept;

private:
  using completion = std::move_only_function<void(result<caf::message>)>;
  struct state;

  void gather(bool on) noexcept;
  void run();
  /// The untyped exchange all forms of ask() share.
  void start(const caf::strong_actor_ptr& whom, caf::message what,
             std::chrono::milliseconds limit, completion then);
  boost::asio::awaitable<result<caf::message>>
  exchange(caf::strong_actor_ptr whom, caf::message what,
           std::chrono::milliseconds limit);
  template <class T> static result<T> typed(result<caf::message> answer);

  std::unique_ptr<state> state_;
};

template <class T> result<T> asker::typed(result<caf::message> answer) {
  if (!answer)
    return std::unexpected{std::move(answer.error())};
  if (!answer->template match_elements<T>())
    return fail(errc::internal, "an actor answered with another type");
  return std::move(answer->template get_mutable_as<T>(0));
}

template <class T, class Handle, class Message>
boost::asio::awaitable<result<T>> asker::ask(Handle whom, Message what,
                                             std::chrono::milliseconds limit) {
  auto answer = co_await exchange(caf::actor_cast<caf::strong_actor_ptr>(whom),
                                  caf::make_message(std::move(what)), limit);
  co_return typed<T>(std::move(answer));
}

template <class T, class Handle, class Message, class Then>
void asker::ask(const Handle& whom, Message what, std::chrono::milliseconds limit,
                Then then) {
  start(caf::actor_cast<caf::strong_actor_ptr>(whom),
        caf::make_message(std::move(what)), limit,
        [then = std::move(then)](result<caf::message> answer) mutable {
          then(typed<T>(std::move(answer)));
        });
}

} // namespace jessica::net
