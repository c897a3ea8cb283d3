#include "actors/dispatcher.hpp"

#include "actors/dispatcher_steps.hpp"
#include "actors/errors.hpp"
#include "actors/supervision.hpp"
#include "ops/log.hpp"

#include <algorithm>
#include <utility>

namespace jessica::actors {
namespace {

using namespace dispatcher_steps;

void hand_back(self_pointer self) {
  auto& state = self->state;
  const auto jobs = state.running.size() + state.queue.waiting();
  end_all(self);
  const auto held = std::exchange(state.held, {});
  if (held.id == lease_id{}) {
    state.drained->deliver(done{});
    return;
  }
  ops::info("jobs.handed_back", {{"jobs", jobs}});
  self->request(state.deps.keeper, caf::infinite, leave_cluster{held.id})
      .then([self](done) { self->state.drained->deliver(done{}); },
            // The lease ends by itself: nothing is lost by going.
            [self](const caf::error&) { self->state.drained->deliver(done{}); });
}

void free_slot(self_pointer self, job_id id) {
  auto& state = self->state;
  const auto found = state.running.find(id);
  if (found == state.running.end())
    return;
  state.queue.ended(found->second.user);
  state.running.erase(found);
  show_running(state);
  start_waiting(self);
  if (state.drained && state.running.empty())
    hand_back(self);
  else if (state.backlog)
    look_for_jobs(self);
}

/// An INFERENCE that crashed leaves its job leased: give it back for another attempt.
void give_back_crashed(self_pointer self, const caf::down_msg& down) {
  auto& running = self->state.running;
  const auto found = std::ranges::find_if(running, [&](const auto& item) {
    return item.second.actor.address() == down.source;
  });
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

[[nodiscard]] caf::typed_response_promise<stop_receipt>
stop_for_user(self_pointer self, const stop_reply& msg) {
  auto asker = self->make_response_promise<stop_receipt>();
  self->request(self->state.deps.readers, caf::infinite, msg)
      .then(
          [self, asker](const stop_receipt& got) mutable {
            // The feed tells us too; this is sooner, and works while it is away.
            if (got.status == "cancelling")
              stop_here(self, got.job);
            asker.deliver(got);
          },
          [asker](const caf::error& why) mutable { asker.deliver(why); });
  return asker;
}

[[nodiscard]] caf::typed_response_promise<queue_report> run_now(self_pointer self,
                                                                std::size_t max) {
  auto asker = self->make_response_promise<queue_report>();
  const auto under = self->state.held.id;
  if (under == lease_id{} || self->state.drained) {
    asker.deliver(to_caf({errc::unavailable, "this node holds no lease", {}, nullptr}));
    return asker;
  }
  const auto wish = wish_of(self->state, max);
  self->request(self->state.deps.keeper, caf::infinite, claim_jobs{under, wish})
      .then(
          [self, under, asker](const storage::claimed_jobs& got) mutable {
            auto& state = self->state;
            const auto ours = under == state.held.id;
            if (ours)
              for (const auto& claimed : got.jobs)
                start_or_wait(self, claimed);
            asker.deliver(queue_report{ours ? got.jobs.size() : 0, state.running.size(),
                                       state.queue.waiting()});
          },
          [asker](const caf::error& why) mutable { asker.deliver(why); });
  return asker;
}

} // namespace

dispatcher_actor::behavior_type dispatcher(self_pointer self, dispatcher_deps deps) {
  guard(self, "DISPATCHER");
  self->state.queue = fair_queue{deps.per_user};
  self->state.deps = std::move(deps);
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
      [self](run_job& msg) {
        // One of another lease is swept with it, one that was handed back is claimed.
        if (msg.lease == self->state.held.id &&
            !self->state.handed_back.contains(msg.what.id))
          start_or_wait(self, std::move(msg.what));
      },
      [self](job_ended msg) { free_slot(self, msg.id); },
      [self](beat) { beat_now(self); },
      [self](jobs_ready) { look_for_jobs(self); },
      [self](const stop_jobs& msg) {
        for (const auto id : msg.ids)
          stop_here(self, id);
      },
      [self](jobs_due) {
        self->state.due_soon = false;
        look_for_jobs(self);
      },
      [self](const stop_reply& msg) { return stop_for_user(self, msg); },
      [self](const run_queued& msg) {
        return run_now(self, msg.max.value_or(self->state.deps.slots));
      },
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
