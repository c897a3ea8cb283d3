#include "actors/dispatcher_steps.hpp"
#include "actors/errors.hpp"
#include "ops/log.hpp"

#include <utility>

namespace jessica::actors::dispatcher_steps {
namespace {

void hand_back_strays(self_pointer self, lease_id under, std::vector<job_id> strays) {
  ops::warn("jobs.strays", {{"jobs", strays.size()}});
  // A message that was slow after all must not start one of them beside its new
  // attempt.
  self->state.handed_back.insert(strays.begin(), strays.end());
  self->request(self->state.deps.keeper, caf::infinite,
                hand_back_jobs{under, std::move(strays)})
      .then([self](done) { look_for_jobs(self); },
            // They are still unknown next time.
            [](const caf::error& why) {
              ops::warn("jobs.not_handed_back", {{"cause", from_caf(why).what}});
            });
}

} // namespace

void look_for_strays(self_pointer self) {
  const auto under = self->state.held.id;
  self->request(self->state.deps.keeper, caf::infinite, list_held{under})
      .then(
          [self, under](const held_jobs& held) {
            auto& state = self->state;
            if (under != state.held.id || state.drained)
              return;
            auto known = std::unordered_set<job_id>{};
            state.queue.list_waiting(known);
            auto unknown = std::unordered_set<job_id>{};
            auto strays = std::vector<job_id>{};
            for (const auto id : held.ids) {
              if (state.running.contains(id) || known.contains(id))
                continue;
              unknown.insert(id);
              if (state.unknown.contains(id))
                strays.push_back(id);
            }
            state.unknown = std::move(unknown);
            if (!strays.empty())
              hand_back_strays(self, under, std::move(strays));
          },
          [](const caf::error&) {}); // the next look tells
}

} // namespace jessica::actors::dispatcher_steps
