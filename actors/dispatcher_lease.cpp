#include "actors/dispatcher_steps.hpp"
#include "actors/errors.hpp"
#include "ops/log.hpp"

#include <algorithm>
#include <utility>

namespace jessica::actors::dispatcher_steps {
namespace {

/// Another node may be taking jobs at the same moment and let us find none: not again
/// at once.
constexpr auto shortest_look = std::chrono::milliseconds{50};
/// Strays are rare: after connections were cut.
constexpr auto beats_between_looks = std::size_t{3};

/// Other nodes may run our jobs now: stop them before anything else.
void lose_lease(self_pointer self) {
  auto& state = self->state;
  ops::warn("lease.lost",
            {{"lease", state.held.id.value}, {"jobs", state.running.size()}});
  state.held.watch->end();
  end_all(self);
  state.held = {};
  state.unknown.clear();
  state.handed_back.clear();
}

void take_lease(self_pointer self, lease_id got,
                std::chrono::steady_clock::time_point asked_at) {
  auto& state = self->state;
  state.beating = false;
  if (state.drained)
    return;
  if (state.held.id != got) {
    if (state.held.id != lease_id{})
      lose_lease(self);
    state.held = {got, std::make_shared<lease_watch>()};
    ops::info("lease.held", {{"lease", got.value}});
  }
  state.held.watch->extend(asked_at + state.deps.lease);
  announce_lease(self);
  look_for_jobs(self);
  if (state.beats++ % beats_between_looks == 0)
    look_for_strays(self);
}

void take_claimed(self_pointer self, lease_id under, std::size_t wanted,
                  const storage::claimed_jobs& got) {
  auto& state = self->state;
  state.claiming = false;
  if (under != state.held.id)
    return; // lost meanwhile: they are swept with it
  state.backlog = got.jobs.size() == wanted;
  for (const auto& claimed : got.jobs)
    start_or_wait(self, claimed);
  announce_lease(self);
  if (std::exchange(state.look_again, false))
    return look_for_jobs(self);
  // Later ones are found by the beat.
  if (state.backlog || !got.next_due || *got.next_due >= state.deps.heartbeat ||
      state.due_soon)
    return;
  state.due_soon = true;
  self->delayed_send(self, std::max(*got.next_due, shortest_look), jobs_due{});
}

} // namespace

void announce_lease(self_pointer self) {
  auto& state = self->state;
  const auto room =
      !state.drained && !state.backlog && state.queue.waiting() < state.deps.slots;
  self->send(state.deps.persistence,
             use_lease{state.held.id, room, dispatcher_actor{self}});
}

storage::claim_wish wish_of(const dispatcher_state& state, std::size_t max) {
  const auto free = state.deps.slots - std::min(state.deps.slots, state.running.size());
  return {std::min(free, max), state.deps.per_user, state.queue.full()};
}

void look_for_jobs(self_pointer self) {
  auto& state = self->state;
  if (state.held.id == lease_id{} || state.drained)
    return;
  if (state.claiming) {
    state.look_again = true;
    return;
  }
  auto wish = wish_of(state, state.deps.slots);
  if (wish.want == 0) {
    state.backlog = true; // there may be some: look when a slot is free
    return;
  }
  state.claiming = true;
  const auto under = state.held.id;
  const auto want = wish.want;
  self->request(state.deps.keeper, caf::infinite, claim_jobs{under, std::move(wish)})
      .then(
          [self, under, want](const storage::claimed_jobs& got) {
            take_claimed(self, under, want, got);
          },
          [self](const caf::error& why) {
            self->state.claiming = false;
            self->state.look_again = false; // the next beat looks
            ops::warn("jobs.claim_failed", {{"cause", from_caf(why).what}});
          });
}

void beat_now(self_pointer self) {
  auto& state = self->state;
  if (state.drained)
    return;
  self->delayed_send(self, state.deps.heartbeat, beat{});
  if (state.beating)
    return;
  state.beating = true;
  const auto asked_at = self->clock().now();
  self->request(state.deps.keeper, caf::infinite, heartbeat{state.held.id})
      .then([self, asked_at](lease_held got) { take_lease(self, got.lease, asked_at); },
            // Jobs go on: their tokens are held back when the lease has run out, and
            // sent when it turns out that nobody took it.
            [self](const caf::error& why) {
              self->state.beating = false;
              ops::warn("lease.renewal_failed", {{"cause", from_caf(why).what}});
            });
}

} // namespace jessica::actors::dispatcher_steps
