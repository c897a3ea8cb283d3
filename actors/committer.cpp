#include "actors/persistence.hpp"
#include "actors/supervision.hpp"
#include "storage/chat.hpp"
#include "storage/jobs.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace jessica::actors {
namespace {

/// One answer a row from the jobs that were stored: false when a job is missing.
template <class Row>
[[nodiscard]] std::vector<result<bool>>
stored_or_lost(const std::vector<Row>& rows,
               const result<std::vector<job_id>>& stored) {
  auto answers = std::vector<result<bool>>{};
  answers.reserve(rows.size());
  for (const auto& row : rows)
    answers.push_back(stored ? result<bool>{std::ranges::contains(*stored, row.job)}
                             : std::unexpected{stored.error()});
  return answers;
}

[[nodiscard]] batch_result commit_rows(storage::connection& db, const batch& what) {
  auto answer = batch_result{};
  if (!what.turns.empty()) {
    auto stored =
        storage::enqueue(db, what.born_leased ? what.lease : lease_id{}, what.turns);
    answer.receipts = stored ? std::move(*stored)
                             : std::vector<result<receipt>>(
                                   what.turns.size(), std::unexpected{stored.error()});
  }
  if (!what.outcomes.empty())
    answer.finished =
        stored_or_lost(what.outcomes, storage::finish(db, what.lease, what.outcomes));
  if (!what.checkpoints.empty())
    answer.saved = stored_or_lost(what.checkpoints,
                                  storage::save(db, what.lease, what.checkpoints));
  if (!what.failures.empty()) {
    auto stored = storage::fail_jobs(db, what.lease, what.failures);
    for (auto i = std::size_t{0}; i < what.failures.size(); ++i)
      answer.given_up.push_back(stored ? result<job_status>{stored->at(i)}
                                       : std::unexpected{stored.error()});
  }
  return answer;
}

} // namespace

commit_batch commit_to(storage::endpoint where) {
  auto db =
      std::make_shared<storage::connection>(std::move(where), storage::role::engine);
  return [db](const batch& what) { return commit_rows(*db, what); };
}

committer_actor::behavior_type
committer(committer_actor::stateful_pointer<committer_state> self,
          commit_batch commit) {
  guard(self, "COMMITTER");
  self->state.commit = std::move(commit);
  return {[self](const batch& what) { return self->state.commit(what); }};
}

} // namespace jessica::actors
