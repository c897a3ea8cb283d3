// PERSISTENCE and its COMMITTERs: group commit. See protocol.hpp for the promises.
#pragma once

#include "actors/owed_answer.hpp"
#include "actors/protocol.hpp"
#include "storage/endpoint.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

namespace jessica::actors {

struct persistence_deps {
  std::vector<committer_actor> committers; ///< each takes one batch at a time
  /// Takes the checkpoints: they wait for no disk, and no send waits for them.
  committer_actor progress;
  std::size_t batch_rows = 200;
  std::size_t queue_limit = 8192; ///< rows waiting; more are refused as overloaded
};

/// Rows of one kind that wait for a commit, each with who asked.
template <class Row, class Answer> struct waiting_rows {
  std::deque<Row> rows;
  std::deque<owed<Answer>> askers;

  [[nodiscard]] std::size_t size() const { return rows.size(); }
};

struct persistence_state {
  persistence_deps deps;
  std::vector<bool> free; ///< one a committer
  bool progress_free = true;
  lease_id lease;
  bool accepting = false; ///< new jobs are born under our lease
  dispatcher_actor dispatcher;
  waiting_rows<turn, receipt> turns;
  waiting_rows<outcome, bool> outcomes;
  waiting_rows<checkpoint, job_hold> checkpoints;
  waiting_rows<failure, job_status> failures;
};

persistence_actor::behavior_type
persistence(persistence_actor::stateful_pointer<persistence_state> self,
            persistence_deps deps);

/// What a COMMITTER does with a batch; blocking.
using commit_batch = std::function<batch_result(const batch&)>;

/// Who decides whether a turn may be stored.
enum class send_rule : std::uint8_t {
  owner,   ///< the conversation's owner may: the policies' own rule, in one statement
  policies ///< each turn is written as its author
};

/// Commits turns, outcomes and failures, durably, over connections of its own.
[[nodiscard]] commit_batch commit_to(storage::endpoint where, send_rule rule);
/// Commits checkpoints without waiting for the disk.
[[nodiscard]] commit_batch commit_progress_to(storage::endpoint where);

struct committer_state {
  commit_batch commit;
};

committer_actor::behavior_type
committer(committer_actor::stateful_pointer<committer_state> self, commit_batch commit);

} // namespace jessica::actors
