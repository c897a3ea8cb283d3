#include "actors/dispatcher.hpp"

#include "actors/errors.hpp"
#include "actors/supervision.hpp"
#include "ops/log.hpp"
#include "ops/metrics.hpp"

#include <algorithm>
#include <utility>

namespace jessica::actors {
namespace {

using self_pointer = dispatcher_actor::stateful_pointer<dispatcher_state>;

[[nodiscard]] ops::gauge& running_jobs() {
  static auto shown = ops::gauge{"jessica_actors_jobs_running", "Jobs of this node"};
  return shown;
}

/// PERSISTENCE leases new jobs to us only while we can run them; those we have are
/// finished under the lease all the same.
void announce_lease(self_pointer self) {
  auto& state = self->state;
  const auto room = !state.drained && state.waiting.size() < state.deps.slots;
  self->send(state.deps.persistence,
             use_lease{state.held, room, dispatcher_actor{self}});
}

void start(self_pointer self, job what) {
  auto& state = self->state;
  if (what.attempt > 1)
    ops::info("job.resumed", {{"job", what.id.value}, {"attempt", what.attempt}});
  auto handle = state.deps.start_job(dispatcher_actor{self}, what);
  self->monitor(handle);
  state.running.insert_or_assign(what.id, std::move(handle));
  running_jobs().set(static_cast<double>(state.running.size()));
}

void start_or_wait(self_pointer self, job what) {
  auto& state = self->state;
  if (state.running.size() < state.deps.slots)
    return start(self, std::move(what));
  state.waiting.push_back(std::move(what));
  if (state.waiting.size() >= state.deps.slots)
    announce_lease(self);
}

void end_all(self_pointer self) {
  auto& state = self->state;
  for (auto& [id, handle] : state.running)
    self->send_exit(handle, caf::exit_reason::user_shutdown);
  state.running.clear();
  state.waiting.clear();
  running_jobs().set(0);
}

/// Other nodes may run our jobs now: stop them before anything else.
void lose_lease(self_pointer self) {
  auto& state = self->state;
  ops::warn("lease.lost",
            {{"lease", state.held.value}, {"jobs", state.running.size()}});
  end_all(self);
  state.held = {};
}

void hand_back(self_pointer self) {
  auto& state = self->state;
  const auto jobs = state.running.size() + state.waiting.size();
  end_all(self);
  const auto held = std::exchange(state.held, lease_id{});
  if (held == lease_id{}) {
    state.drained->deliver(done{});
    return;
  }
  ops::info("jobs.handed_back", {{"jobs", jobs}});
  self->request(state.deps.keeper, caf::infinite, leave_cluster{held})
      .then([self](done) { self->state.drained->deliver(done{}); },
            // The lease ends by itself: nothing is lost by going.
            [self](const caf::error&) { self->state.drained->deliver(done{}); });
}

void free_slot(self_pointer self, job_id id) {
  auto& state = self->state;
  if (state.running.erase(id) == 0)
    return;
  running_jobs().set(static_cast<double>(state.running.size()));
  if (!state.waiting.empty()) {
    auto next = std::move(state.waiting.front());
    state.waiting.pop_front();
    start(self, std::move(next));
  } else if (state.drained && state.running.empty()) {
    hand_back(self);
  }
}

void take_lease(self_pointer self, const heartbeat_result& got) {
  auto& state = self->state;
  state.beating = false;
  state.renewed_at = self->clock().now();
  if (state.drained)
    return;
  if (state.held != got.lease) {
    if (state.held != lease_id{})
      lose_lease(self);
    state.held = got.lease;
    ops::info("lease.held", {{"lease", got.lease.value}});
  }
  announce_lease(self);
  for (const auto& claimed : got.claimed)
    start_or_wait(self, claimed);
}

void miss_beat(self_pointer self, const caf::error& why) {
  auto& state = self->state;
  state.beating = false;
  ops::warn("lease.renewal_failed", {{"cause", from_caf(why).what}});
  if (state.held == lease_id{} ||
      self->clock().now() - state.renewed_at < state.deps.lease)
    return;
  lose_lease(self);
  announce_lease(self);
}

void beat_now(self_pointer self) {
  auto& state = self->state;
  if (state.drained)
    return;
  self->delayed_send(self, state.deps.heartbeat, beat{});
  if (state.beating)
    return;
  state.beating = true;
  const auto busy = state.running.size() + state.waiting.size();
  const auto want = state.deps.slots - std::min(state.deps.slots, busy);
  self->request(state.deps.keeper, caf::infinite, heartbeat{state.held, want})
      .then([self](const heartbeat_result& got) { take_lease(self, got); },
            [self](const caf::error& why) { miss_beat(self, why); });
}

/// An INFERENCE that crashed leaves its job leased: give it back for another attempt.
void give_back_crashed(self_pointer self, const caf::down_msg& down) {
  auto& running = self->state.running;
  const auto found = std::ranges::find_if(
      running, [&](const auto& item) { return item.second.address() == down.source; });
  if (found == running.end())
    return;
  const auto id = found->first;
  self->request(self->state.deps.persistence, caf::infinite,
                give_up{{id, "internal error", true}})
      .then([](job_status) {},
            [id](const caf::error& why) {
              ops::error("job.stuck",
                         {{"job", id.value}, {"cause", from_caf(why).what}});
            });
  free_slot(self, id);
}

} // namespace

dispatcher_actor::behavior_type dispatcher(self_pointer self, dispatcher_deps deps) {
  guard(self, "DISPATCHER");
  self->state.deps = std::move(deps);
  self->state.renewed_at = self->clock().now();
  self->set_down_handler([self](caf::down_msg& down) {
    if (down.reason) // zero: it ended by itself and said so with job_ended
      give_back_crashed(self, down);
  });
  self->set_exit_handler([self](caf::exit_msg& exit) {
    end_all(self);
    self->quit(exit.reason);
  });
  beat_now(self);
  return {
      [self](run_job& msg) { start_or_wait(self, std::move(msg.what)); },
      [self](job_ended msg) { free_slot(self, msg.id); },
      [self](beat) { beat_now(self); },
      [self](drain msg) {
        auto& state = self->state;
        state.drained = self->make_response_promise<done>();
        announce_lease(self);
        if (state.running.empty())
          hand_back(self);
        else
          self->delayed_send(self, msg.within, drain_deadline{});
        return *state.drained;
      },
      [self](drain_deadline) {
        if (!self->state.running.empty())
          hand_back(self);
      },
  };
}

} // namespace jessica::actors
