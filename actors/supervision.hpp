// Who restarts whom. Clients hold the handle of a SUPERVISOR or POOL, which stays good
// while the actors behind it come and go.
#pragma once

#include "actors/messages.hpp"

#include <caf/actor.hpp>
#include <caf/behavior.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/fwd.hpp>
#include <caf/stateful_actor.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <string>
#include <vector>

namespace jessica::actors {

/// Starts a child. Called on the parent's thread; must not block.
using make_child = std::function<caf::actor()>;

/// Gives an actor our handlers: an exception ends it with its cause in the log
/// (actor.failed) and the asker gets `internal`; a message it does not understand is
/// counted, logged and refused. `name` is what the log calls it.
void guard(caf::scheduled_actor* self, std::string name);

/// Waits between restarts: 100 ms doubled for each death of the last minute, at most 5
/// s.
class restart_pause {
public:
  [[nodiscard]] std::chrono::milliseconds
  after_death(std::chrono::steady_clock::time_point now);

private:
  std::deque<std::chrono::steady_clock::time_point> deaths_;
};

struct pool_options {
  std::string name;
  std::size_t children = 1;
  std::size_t queue_limit = 0; ///< requests that may wait for a free child
  make_child make;
};

struct pool_state {
  struct worker {
    caf::actor handle; ///< null while it is down
    bool free = false;
  };
  struct waiting {
    caf::response_promise asker;
    caf::message what;
  };
  pool_options options;
  std::vector<worker> workers;
  std::deque<waiting> queue;
  restart_pause pause;
};

/// POOL: gives each request to a free child, lets up to `queue_limit` wait, refuses
/// more with overloaded. Children are blocking workers that handle are_you_free last
/// in, last out. A child that dies is logged and started again with backoff; its asker
/// gets an error, waiting requests stay.
caf::behavior pool(caf::stateful_actor<pool_state>* self, pool_options options);

struct supervisor_options {
  std::string name;
  make_child make;
};

struct supervisor_state {
  supervisor_options options;
  caf::actor child;
  restart_pause pause;
};

/// SUPERVISOR: hands everything to its one child, in order. While the child is down
/// requests fail with unavailable.
caf::behavior supervisor(caf::stateful_actor<supervisor_state>* self,
                         supervisor_options options);

} // namespace jessica::actors
