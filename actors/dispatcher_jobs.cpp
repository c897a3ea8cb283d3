#include "actors/dispatcher_steps.hpp"
#include "ops/log.hpp"
#include "ops/metrics.hpp"

#include <algorithm>
#include <utility>

namespace jessica::actors::dispatcher_steps {
namespace {

/// More than claims under way can bring at once.
constexpr auto early_stops_kept = std::size_t{4096};

void start(self_pointer self, job what) {
  auto& state = self->state;
  if (const auto stopped = std::ranges::find(state.early_stops, what.id);
      stopped != state.early_stops.end()) {
    state.early_stops.erase(stopped);
    what.cancelled = true;
  }
  if (what.attempt > 1)
    ops::info("job.resumed", {{"job", what.id.value}, {"attempt", what.attempt}});
  auto handle = state.deps.start_job(dispatcher_actor{self}, what, state.held.watch);
  self->monitor(handle);
  state.running.insert_or_assign(
      what.id, dispatcher_state::running_job{std::move(handle), what.user});
}

} // namespace

void show_running(const dispatcher_state& state) {
  static auto shown = ops::gauge{"jessica_actors_jobs_running", "Jobs of this node"};
  shown.set(static_cast<double>(state.running.size()));
}

void start_or_wait(self_pointer self, job what) {
  auto& state = self->state;
  state.queue.push(std::move(what));
  start_waiting(self);
  if (state.queue.waiting() == state.deps.slots)
    announce_lease(self);
}

void start_waiting(self_pointer self) {
  auto& state = self->state;
  while (state.running.size() < state.deps.slots) {
    auto next = state.queue.take();
    if (!next)
      break;
    start(self, std::move(*next));
  }
  show_running(state);
}

void stop_here(self_pointer self, job_id which) {
  auto& state = self->state;
  if (const auto found = state.running.find(which); found != state.running.end()) {
    self->send(found->second.actor, stop_job{});
    return;
  }
  if (auto waiting = state.queue.remove(which)) {
    waiting->cancelled = true; // nothing to wait for: it only has to be stored
    start(self, std::move(*waiting));
    return;
  }
  state.early_stops.push_back(which);
  if (state.early_stops.size() > early_stops_kept)
    state.early_stops.pop_front();
}

void end_all(self_pointer self) {
  auto& state = self->state;
  for (auto& [id, job] : state.running)
    self->send_exit(job.actor, caf::exit_reason::user_shutdown);
  state.running.clear();
  state.queue.clear();
  show_running(state);
}

} // namespace jessica::actors::dispatcher_steps
