// Who was started: the one place that puts services behind SUPERVISORs and POOLs, and
// ends them in reverse order.
#pragma once

#include "actors/supervision.hpp"

#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/infer_handle.hpp>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace jessica::actors {

/// `Run` is the function of an actor; `deps`, its arguments, are copied for each start.
/// The handles stay good when the actor behind them is started again.
class service_roll {
public:
  explicit service_roll(caf::actor_system& sys) : sys_(sys) {}

  /// For those that come and go, which nobody restarts.
  [[nodiscard]] caf::actor_system& system() const noexcept { return sys_; }

  /// Shares the scheduler's threads: must not block.
  template <class Run, class... Deps>
  [[nodiscard]] auto scheduled(std::string name, Run* run, const Deps&... deps) {
    return supervised<caf::infer_handle_from_fun_t<Run*>>(
        std::move(name), [&sys = sys_, run, deps...] {
          return caf::actor_cast<caf::actor>(sys.spawn(run, deps...));
        });
  }

  /// Has a thread of its own.
  template <class Run, class... Deps>
  [[nodiscard]] auto threaded(std::string name, Run* run, const Deps&... deps) {
    return supervised<caf::infer_handle_from_fun_t<Run*>>(std::move(name),
                                                          thread_of(run, deps...));
  }

  /// `threads` of them, each with a thread; `queue` requests may wait for a free one.
  template <class Run, class... Deps>
  [[nodiscard]] auto pooled(std::string name, std::size_t threads, std::size_t queue,
                            Run* run, const Deps&... deps) {
    return caf::actor_cast<caf::infer_handle_from_fun_t<Run*>>(add(sys_.spawn(
        pool, pool_options{std::move(name), threads, queue, thread_of(run, deps...)})));
  }

  /// For an actor with a thread of its own whose arguments cannot be shared by those
  /// that follow it: `make_deps` makes them at each start.
  template <class Run, class MakeDeps>
  [[nodiscard]] auto threaded_anew(std::string name, Run* run,
                                   const MakeDeps& make_deps) {
    return supervised<caf::infer_handle_from_fun_t<Run*>>(std::move(name), [&sys = sys_,
                                                                            run,
                                                                            make_deps] {
      return caf::actor_cast<caf::actor>(sys.spawn<caf::detached>(run, make_deps()));
    });
  }

  /// Tells all to end, the last one first; does not wait for them.
  void end();

private:
  template <class Run, class... Deps>
  [[nodiscard]] make_child thread_of(Run* run, const Deps&... deps) {
    return [&sys = sys_, run, deps...] {
      return caf::actor_cast<caf::actor>(sys.spawn<caf::detached>(run, deps...));
    };
  }

  template <class Handle>
  [[nodiscard]] Handle supervised(std::string name, make_child make) {
    return caf::actor_cast<Handle>(add(
        sys_.spawn(supervisor, supervisor_options{std::move(name), std::move(make)})));
  }

  [[nodiscard]] caf::actor add(caf::actor one);

  caf::actor_system& sys_;
  std::vector<caf::actor> services_; ///< in order of their start
};

} // namespace jessica::actors
