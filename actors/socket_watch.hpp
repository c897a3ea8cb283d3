// How an actor that owns a socket hears that it is ready. Implemented where event loops
// are.
#pragma once

#include <caf/actor_control_block.hpp>
#include <caf/message.hpp>

#include <memory>

namespace jessica::actors {

class socket_watch {
public:
  /// One watched socket, until it is destroyed.
  class seat {
  public:
    virtual ~seat() = default;
    /// Sends the message once, when the socket can be read (or written, if `writing`
    /// is set too) or has failed; at once when it is so now.
    virtual void arm(bool writing) = 0;
  };

  virtual ~socket_watch() = default;
  /// Any thread, as arm(). `socket` may be closed before the seat is gone. Nothing is
  /// heard while no event loop runs.
  [[nodiscard]] virtual std::unique_ptr<seat>
  add(int socket, caf::strong_actor_ptr whom, caf::message what) = 0;
};

} // namespace jessica::actors
