#include "actors/persistence.hpp"

#include "actors/errors.hpp"
#include "actors/supervision.hpp"
#include "ops/metrics.hpp"

#include <caf/send.hpp>
#include <caf/typed_response_promise.hpp>

#include <algorithm>
#include <functional>
#include <iterator>
#include <memory>
#include <utility>

namespace jessica::actors {
namespace {

using self_pointer = persistence_actor::stateful_pointer<persistence_state>;

/// The askers of a batch under way, in the order of its rows.
struct batch_askers {
  std::vector<owed<receipt>> turns;
  std::vector<owed<bool>> outcomes;
  std::vector<owed<job_hold>> checkpoints;
  std::vector<owed<job_status>> failures;
};

[[nodiscard]] ops::histogram& batch_sizes() {
  static auto observed = ops::histogram{"jessica_actors_commit_rows",
                                        "Rows of one group commit",
                                        {1, 2, 5, 10, 20, 50, 100, 200, 400}};
  return observed;
}

template <class Row, class Answer>
void take_rows(waiting_rows<Row, Answer>& from, std::size_t limit,
               std::vector<Row>& rows, std::vector<owed<Answer>>& askers) {
  const auto count = static_cast<std::ptrdiff_t>(std::min(limit, from.size()));
  const auto move_out = [count](auto& queue, auto& into) {
    into.assign(std::make_move_iterator(queue.begin()),
                std::make_move_iterator(queue.begin() + count));
    queue.erase(queue.begin(), queue.begin() + count);
  };
  move_out(from.rows, rows);
  move_out(from.askers, askers);
}

template <class Answer>
void answer_all(std::vector<owed<Answer>>& askers,
                const std::vector<result<Answer>>& answers) {
  for (auto i = std::size_t{0}; i < askers.size(); ++i) {
    if (answers[i])
      askers[i]->deliver(*answers[i]);
    else
      askers[i]->deliver(to_caf(answers[i].error()));
  }
}

template <class Answer>
void refuse_all(std::vector<owed<Answer>>& askers, const error& why) {
  for (const auto& asker : askers)
    asker->deliver(to_caf(why));
}

/// New jobs were born leased to this node: DISPATCHER runs them without a claim.
void hand_to_dispatcher(self_pointer self, const batch& what,
                        const batch_result& stored) {
  auto& state = self->state;
  if (!stored.leased || what.lease != state.lease || !state.dispatcher)
    return;
  for (auto i = std::size_t{0}; i < what.turns.size(); ++i) {
    const auto& made = stored.receipts[i];
    if (!made || made->repeated)
      continue;
    self->send(state.dispatcher, run_job{job{.id = made->job,
                                             .attempt = 1,
                                             .user = what.turns[i].author,
                                             .conversation = made->conversation,
                                             .message = made->message,
                                             .reply = made->reply,
                                             .params = what.turns[i].params,
                                             .cancelled = false},
                                         what.lease});
  }
}

/// Sends a batch to a committer; `next` runs when its answer was handed out.
void commit(self_pointer self, const committer_actor& to, std::shared_ptr<batch> what,
            std::shared_ptr<batch_askers> askers, std::function<void()> next) {
  const auto rows = what->turns.size() + what->outcomes.size() +
                    what->checkpoints.size() + what->failures.size();
  batch_sizes().observe(static_cast<double>(rows));
  self->request(to, caf::infinite, *what)
      .then(
          [self, what, askers, next](const batch_result& stored) {
            hand_to_dispatcher(self, *what, stored);
            answer_all(askers->turns, stored.receipts);
            answer_all(askers->outcomes, stored.finished);
            answer_all(askers->checkpoints, stored.saved);
            answer_all(askers->failures, stored.given_up);
            next();
          },
          [askers, next](const caf::error& why) {
            const auto cause = from_caf(why);
            refuse_all(askers->turns, cause);
            refuse_all(askers->outcomes, cause);
            refuse_all(askers->checkpoints, cause);
            refuse_all(askers->failures, cause);
            next();
          });
}

void commit_next(self_pointer self, std::size_t slot) {
  auto& state = self->state;
  if (state.turns.size() + state.outcomes.size() + state.failures.size() == 0)
    return;
  const auto limit = state.deps.batch_rows;
  auto what = std::make_shared<batch>();
  auto askers = std::make_shared<batch_askers>();
  what->lease = state.lease;
  what->born_leased = state.accepting && state.lease != lease_id{};
  take_rows(state.turns, limit, what->turns, askers->turns);
  take_rows(state.outcomes, limit, what->outcomes, askers->outcomes);
  take_rows(state.failures, limit, what->failures, askers->failures);
  state.free[slot] = false;
  commit(self, state.deps.committers[slot], std::move(what), std::move(askers),
         [self, slot] {
           self->state.free[slot] = true;
           commit_next(self, slot);
         });
}

void commit_progress(self_pointer self) {
  auto& state = self->state;
  if (!state.progress_free || state.checkpoints.size() == 0)
    return;
  auto what = std::make_shared<batch>();
  auto askers = std::make_shared<batch_askers>();
  what->lease = state.lease;
  take_rows(state.checkpoints, state.deps.batch_rows, what->checkpoints,
            askers->checkpoints);
  state.progress_free = false;
  commit(self, state.deps.progress, std::move(what), std::move(askers), [self] {
    self->state.progress_free = true;
    commit_progress(self);
  });
}

void commit_waiting(self_pointer self) {
  commit_progress(self);
  const auto& free = self->state.free;
  const auto found = std::ranges::find(free, true);
  if (found != free.end())
    commit_next(self, static_cast<std::size_t>(found - free.begin()));
}

template <class Answer, class Row>
[[nodiscard]] caf::typed_response_promise<Answer>
wait_for_commit(self_pointer self, waiting_rows<Row, Answer>& queue, const Row& row) {
  auto asker = self->make_response_promise<Answer>();
  if (queue.size() >= self->state.deps.queue_limit) {
    asker.deliver(
        to_caf({errc::overloaded, "PERSISTENCE: queue is full", {}, nullptr}));
    return asker;
  }
  queue.rows.push_back(row);
  queue.askers.push_back(owe(asker));
  commit_waiting(self);
  return asker;
}

} // namespace

persistence_actor::behavior_type persistence(self_pointer self, persistence_deps deps) {
  guard(self, "PERSISTENCE");
  self->state.free.assign(deps.committers.size(), true);
  self->state.deps = std::move(deps);
  return {
      [self](const enqueue& msg) {
        return wait_for_commit(self, self->state.turns, msg.what);
      },
      [self](const finish& msg) {
        return wait_for_commit(self, self->state.outcomes, msg.what);
      },
      [self](const save_progress& msg) {
        return wait_for_commit(self, self->state.checkpoints, msg.what);
      },
      [self](const give_up& msg) {
        return wait_for_commit(self, self->state.failures, msg.what);
      },
      [self](const use_lease& msg) {
        self->state.lease = msg.lease;
        self->state.accepting = msg.accepting;
        self->state.dispatcher = msg.dispatcher;
      },
  };
}

} // namespace jessica::actors
