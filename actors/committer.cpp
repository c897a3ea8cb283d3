#include "actors/persistence.hpp"
#include "actors/supervision.hpp"
#include "actors/usage_counts.hpp"
#include "storage/chat.hpp"
#include "storage/jobs.hpp"

#include <functional>
#include <memory>
#include <utility>

namespace jessica::actors {
namespace {

using receipts = std::vector<result<receipt>>;
using store_turns = std::function<result<receipts>(const batch&)>;

[[nodiscard]] batch_result commit_rows(storage::connection& db, const batch& what,
                                       const store_turns& store) {
  auto answer = batch_result{};
  if (!what.turns.empty()) {
    auto stored = store(what);
    answer.receipts =
        stored ? std::move(*stored)
               : receipts(what.turns.size(), std::unexpected{stored.error()});
    for (auto i = std::size_t{0}; i < what.turns.size(); ++i)
      if (const auto& made = answer.receipts[i]; !made)
        note_refusal(what.turns[i].author, made.error());
  }
  if (!what.outcomes.empty()) {
    auto stored = storage::finish(db, what.lease, what.outcomes);
    answer.finished = stored
                          ? std::move(*stored)
                          : std::vector<result<bool>>(what.outcomes.size(),
                                                      std::unexpected{stored.error()});
  }
  if (!what.failures.empty()) {
    auto stored = storage::fail_jobs(db, what.lease, what.failures);
    for (auto i = std::size_t{0}; i < what.failures.size(); ++i)
      answer.given_up.push_back(stored ? result<job_status>{stored->at(i)}
                                       : std::unexpected{stored.error()});
  }
  return answer;
}

} // namespace

commit_batch commit_to(storage::endpoint where, send_rule rule) {
  auto db = std::make_shared<storage::connection>(where, storage::role::engine);
  if (rule == send_rule::policies) {
    auto as_client = std::make_shared<storage::connection>(std::move(where),
                                                           storage::role::requests);
    auto store = store_turns{[as_client](const batch& what) {
      return storage::enqueue_as_authors(*as_client, what.turns);
    }};
    return [db, store](const batch& what) { return commit_rows(*db, what, store); };
  }
  // The jobs are leased in the statement that makes them.
  auto store = store_turns{[db](const batch& what) {
    return storage::enqueue(*db, what.born_leased ? what.lease : lease_id{},
                            what.turns);
  }};
  return [db, store](const batch& what) {
    auto answer = commit_rows(*db, what, store);
    answer.leased = what.born_leased;
    return answer;
  };
}

commit_batch commit_progress_to(storage::endpoint where) {
  auto db = std::make_shared<storage::connection>(
      std::move(where), storage::role::engine, storage::commits::lazy);
  return [db](const batch& what) {
    auto answer = batch_result{};
    auto saved = storage::save(*db, what.lease, what.checkpoints);
    for (auto i = std::size_t{0}; i < what.checkpoints.size(); ++i)
      answer.saved.push_back(saved ? result<job_hold>{saved->at(i)}
                                   : std::unexpected{saved.error()});
    return answer;
  };
}

committer_actor::behavior_type
committer(committer_actor::stateful_pointer<committer_state> self,
          commit_batch commit) {
  guard(self, "COMMITTER");
  self->state.commit = std::move(commit);
  return {[self](const batch& what) { return self->state.commit(what); }};
}

} // namespace jessica::actors
