#include "bench/load/queue_crew.hpp"

#include "actors/errors.hpp"
#include "actors/keeper.hpp"
#include "actors/persistence.hpp"
#include "actors/scheduler_config.hpp"
#include "bench/load/queue_cost.hpp"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <memory>
#include <utility>

namespace jessica::bench {

struct work_off {
  lease_id lease;
  std::size_t jobs = 0;
};
struct worked_off {
  std::size_t finished = 0;
};

} // namespace jessica::bench

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jessica::bench::work_off)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jessica::bench::worked_off)

namespace jessica::bench {
namespace {

using clock = std::chrono::steady_clock;
using namespace actors;

/// CREW is the workers.
using crew_actor = caf::typed_actor<caf::replies_to<work_off>::with<worked_off>>;

struct crew_state {
  std::size_t idle = 0;
  std::size_t unclaimed = 0; ///< jobs that are still to be claimed
  std::size_t under_way = 0;
  bool claiming = false;
  keeper_actor keeper;
  persistence_actor persistence;
  lease_id lease;
  worked_off result;
  caf::typed_response_promise<worked_off> asker;
};
using crew_pointer = crew_actor::stateful_pointer<crew_state>;

void claim_for_idle(crew_pointer self);

void end_job(crew_pointer self, bool stored) {
  auto& state = self->state;
  state.result.finished += stored ? 1U : 0U;
  --state.under_way;
  ++state.idle;
  claim_for_idle(self);
}

void start_jobs(crew_pointer self, const std::vector<job>& jobs) {
  auto& state = self->state;
  state.claiming = false;
  state.idle -= jobs.size();
  state.under_way += jobs.size();
  // A claim that finds nothing: the rest has been lost, and is counted as such.
  state.unclaimed = jobs.empty() ? 0 : state.unclaimed - jobs.size();
  for (const auto& one : jobs)
    self->request(state.persistence, caf::infinite, finish{outcome_of(one.id)})
        .then([self](bool stored) { end_job(self, stored); },
              [self](const caf::error&) { end_job(self, false); });
  claim_for_idle(self);
}

void claim_for_idle(crew_pointer self) {
  auto& state = self->state;
  const auto want = std::min(state.idle, state.unclaimed);
  if (state.claiming)
    return;
  if (want == 0) {
    if (state.under_way == 0 && state.asker.pending())
      state.asker.deliver(state.result);
    return;
  }
  state.claiming = true;
  self->request(state.keeper, caf::infinite,
                actors::claim_jobs{state.lease, {want, jobs_of_one_user, {}}})
      .then([self](const storage::claimed_jobs& got) { start_jobs(self, got.jobs); },
            [self](const caf::error&) { start_jobs(self, {}); });
}

crew_actor::behavior_type crew(crew_pointer self, keeper_actor claims,
                               persistence_actor writer, std::size_t workers) {
  self->state.keeper = std::move(claims);
  self->state.persistence = std::move(writer);
  self->state.idle = workers;
  return {[self](const work_off& msg) {
    auto& state = self->state;
    state.lease = msg.lease;
    state.unclaimed = msg.jobs;
    state.result = {};
    state.asker = self->make_response_promise<worked_off>();
    auto asker = state.asker;
    claim_for_idle(self);
    return asker;
  }};
}

/// The actors of one trial, with the server's own numbers of connections and rows.
class team {
public:
  team(const storage::endpoint& where, lease_id lease, std::size_t workers)
      : lease_(lease) {
    constexpr auto writers = 2;
    auto deps = persistence_deps{};
    for (auto i = 0; i < writers; ++i)
      deps.committers.push_back(
          sys_.spawn<caf::detached>(committer, commit_to(where, send_rule::owner)));
    deps.progress = sys_.spawn<caf::detached>(committer, commit_progress_to(where));
    committers_ = deps.committers;
    committers_.push_back(deps.progress);
    persistence_ = sys_.spawn(persistence, std::move(deps));
    caf::anon_send(persistence_, use_lease{lease, false, {}});
    keeper_ = sys_.spawn<caf::detached>(keeper, keeper_options{where, "bench", {}});
    crew_ = sys_.spawn(crew, keeper_, persistence_, workers);
  }
  team(team&&) = delete;
  ~team() {
    constexpr auto over = caf::exit_reason::user_shutdown;
    caf::anon_send_exit(crew_, over);
    caf::anon_send_exit(keeper_, over);
    caf::anon_send_exit(persistence_, over);
    for (const auto& one : committers_)
      caf::anon_send_exit(one, over);
  }

  [[nodiscard]] result<processed_jobs> work(std::size_t jobs) {
    auto self = caf::scoped_actor{sys_};
    auto answer = result<processed_jobs>{};
    const auto begun = clock::now();
    self->request(crew_, caf::infinite, work_off{lease_, jobs})
        .receive(
            [&](const worked_off& done) {
              answer = processed_jobs{done.finished, clock::now() - begun, {}};
            },
            [&](const caf::error& why) { answer = std::unexpected{from_caf(why)}; });
    return answer;
  }

private:
  scheduler_config config_;
  caf::actor_system sys_{config_};
  lease_id lease_;
  std::vector<committer_actor> committers_;
  persistence_actor persistence_;
  keeper_actor keeper_;
  crew_actor crew_;
};

} // namespace

result<queue_score> run_crew(queue_database& db, std::size_t jobs,
                             std::size_t workers) {
  const auto lease = db.join();
  if (!lease)
    return std::unexpected{lease.error()};
  auto ours = team{db.where(), *lease, workers};
  const auto run = [&](std::size_t count) -> result<queue_score> {
    const auto made = enqueue_jobs(db, {}, count);
    if (!made)
      return std::unexpected{made.error()};
    const auto meter = cost_meter{db.postmaster()};
    auto done = ours.work(count);
    if (!done)
      return std::unexpected{done.error()};
    done->cost = meter.took();
    return score_of(db, *made, *done);
  };
  return run(warm_up_jobs).and_then([&](const auto&) { return run(jobs); });
}

} // namespace jessica::bench
