// Runs actors on the thread of an event loop: what a client's frame sets off happens
// where the frame was read, and no other thread has to wake up for it.
#pragma once

#include <caf/execution_unit.hpp>
#include <caf/fwd.hpp>

#include <deque>
#include <functional>

namespace jessica::net {

/// Given as the execution unit of a message, it runs the receiver when nobody runs it
/// already, and whoever the receiver wakes in turn. One thread only.
class local_unit final : public caf::execution_unit {
public:
  /// `wake`: call run_some() soon, on this thread.
  local_unit(caf::actor_system& actors, std::function<void()> wake);
  ~local_unit() override; ///< close()
  local_unit(const local_unit&) = delete;
  local_unit& operator=(const local_unit&) = delete;

  void exec_later(caf::resumable* actor) override;
  /// Runs actors until none waits or this has taken its share of the thread; then it
  /// asks to be woken.
  void run_some();
  /// Who waits here, or would from now on, runs on the system's own threads.
  /// Idempotent.
  void close() noexcept;

  /// The unit whose run_some() the calling thread is in, or null.
  [[nodiscard]] static const local_unit* running() noexcept;

private:
  void run(caf::resumable* actor);

  std::function<void()> wake_;
  std::deque<caf::resumable*> waiting_; ///< each with one reference of ours
  bool running_ = false;
  bool open_ = true;
};

} // namespace jessica::net
