// DISPATCHER: the node's lease, its slots, and one INFERENCE a job. See protocol.hpp.
#pragma once

#include "actors/inference.hpp"
#include "actors/protocol.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <unordered_map>

namespace jessica::actors {

struct dispatcher_deps {
  keeper_actor keeper;
  persistence_actor persistence;
  /// Starts the INFERENCE of a job; a test puts its own actor here.
  std::function<caf::actor(dispatcher_actor, job)> start_job;
  std::size_t slots = 1;
  std::chrono::milliseconds heartbeat{1000};
  std::chrono::seconds lease{10};
};

struct dispatcher_state {
  dispatcher_deps deps;
  lease_id held;
  bool beating = false; ///< a heartbeat is under way
  std::chrono::steady_clock::time_point renewed_at;
  std::unordered_map<job_id, caf::actor> running;
  std::deque<job> waiting; ///< ours, for when a slot is free
  std::optional<caf::typed_response_promise<done>> drained;
};

dispatcher_actor::behavior_type
dispatcher(dispatcher_actor::stateful_pointer<dispatcher_state> self,
           dispatcher_deps deps);

} // namespace jessica::actors
