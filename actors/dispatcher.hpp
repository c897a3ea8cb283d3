// DISPATCHER: the node's lease, its slots, and one INFERENCE a job. See protocol.hpp.
#pragma once

#include "actors/fair_queue.hpp"
#include "actors/lease_watch.hpp"
#include "actors/protocol.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>

namespace jessica::actors {

struct dispatcher_deps {
  keeper_actor keeper;
  persistence_actor persistence;
  reader_actor readers;
  /// Starts the INFERENCE of a job; a test puts its own actor here.
  std::function<inference_actor(dispatcher_actor, job,
                                std::shared_ptr<const lease_watch>)>
      start_job;
  std::size_t slots = 1;
  std::size_t per_user = 1;
  std::chrono::milliseconds heartbeat{1000};
  std::chrono::seconds lease{10};
};

struct dispatcher_state {
  struct running_job {
    inference_actor actor;
    user_id user;
  };
  struct lease {
    lease_id id;
    std::shared_ptr<lease_watch> watch;
  };
  dispatcher_deps deps;
  lease held;
  bool beating = false;  ///< a heartbeat is under way
  bool claiming = false; ///< a claim is under way
  bool look_again = false;
  bool backlog = false;  ///< the last claim found more than it wanted
  bool due_soon = false; ///< jobs_due is on its way
  std::unordered_map<job_id, running_job> running;
  fair_queue queue{1}; ///< ours, for when a slot is free
  /// Stops that came before their job, the newest last: a stop and the answer of a
  /// claim travel on different ways.
  std::deque<job_id> early_stops;
  /// What the database said we hold and we did not know, when we looked last; and what
  /// was handed back for that.
  std::unordered_set<job_id> unknown;
  std::unordered_set<job_id> handed_back;
  std::size_t beats = 0;
  std::optional<caf::typed_response_promise<done>> drained;
};

dispatcher_actor::behavior_type
dispatcher(dispatcher_actor::stateful_pointer<dispatcher_state> self,
           dispatcher_deps deps);

} // namespace jessica::actors
