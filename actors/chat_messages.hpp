// The messages of the chat: PERSISTENCE, DISPATCHER, INFERENCE, and what they ask of
// KEEPER and READER.
#pragma once

#include "actors/messages.hpp"
#include "domain/branch.hpp"
#include "domain/chat.hpp"
#include "domain/error.hpp"
#include "domain/identity.hpp"
#include "engines/engine.hpp"
#include "storage/jobs.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace jessica::actors {

// --- PERSISTENCE ---------------------------------------------------------------------

struct enqueue {
  turn what;
};
struct finish {
  outcome what;
};
struct save_progress {
  checkpoint what;
};
struct give_up {
  failure what;
};

/// What a COMMITTER stores in one go, and what became of each row, in order.
struct batch {
  lease_id lease;           ///< the node's: fences outcomes, checkpoints and failures
  bool born_leased = false; ///< new jobs belong to `lease`, else they are queued
  std::vector<turn> turns;
  std::vector<outcome> outcomes;
  std::vector<checkpoint> checkpoints;
  std::vector<failure> failures;
};
struct batch_result {
  bool leased = false; ///< the new jobs are leased to the batch's lease, not queued
  std::vector<result<receipt>> receipts;
  std::vector<result<bool>> finished; ///< false: the job is no longer ours
  std::vector<result<job_hold>> saved;
  std::vector<result<job_status>> given_up;
};

// --- DISPATCHER and INFERENCE --------------------------------------------------------

/// Run this job, which was born under our lease.
struct run_job {
  job what;
  lease_id lease;
};

/// One beat of the node's lease; 0: join first.
struct heartbeat {
  lease_id lease;
};
/// The lease that is held now. Another one than asked with: the old one was lost.
struct lease_held {
  lease_id lease;
};
struct claim_jobs {
  lease_id lease;
  storage::claim_wish wish;
};
/// Give the lease and its jobs back.
struct leave_cluster {
  lease_id lease;
};

/// Which jobs does the database say we hold?
struct list_held {
  lease_id lease;
};
struct held_jobs {
  std::vector<job_id> ids;
};
/// Make these jobs of ours ready again.
struct hand_back_jobs {
  lease_id lease;
  std::vector<job_id> ids;
};

struct beat {};

/// There may be jobs to claim.
struct jobs_ready {};
/// The time for which a claim told us to look again.
struct jobs_due {};
/// Users want these jobs stopped; whoever runs one of them stops it.
struct stop_jobs {
  std::vector<job_id> ids;
};
/// A user wants a reply stopped.
struct stop_reply {
  std::shared_ptr<const identity> who;
  message_id reply;
};
/// Claim queued jobs now, as many as there are slots for.
struct run_queued {
  std::optional<std::size_t> max;
};
struct queue_report {
  std::size_t claimed = 0;
  std::size_t running = 0; ///< on this node, the claimed ones included
  std::size_t waiting = 0; ///< leased to this node, for a slot or their user's turn
};

/// INFERENCE to DISPATCHER.
struct job_ended {
  job_id id;
};

/// Take no more jobs; answered when none runs or `deadline` passed and the lease is
/// back.
struct drain {
  std::chrono::milliseconds within{0};
};
struct drain_deadline {};

struct generated {
  engines::engine_event event;
};
struct try_again {};
/// DISPATCHER to INFERENCE: keep what there is and end as cancelled.
struct stop_job {};
/// INFERENCE to itself: a tool that was called has an outcome.
struct tool_ended {
  std::size_t call = 0; ///< which one of the reply's
  tool_outcome what;
};

// --- READER --------------------------------------------------------------------------

struct fetch_prompt {
  user_id user;
  conversation_id conversation;
  message_id message;
  message_id reply = {};
  std::int64_t kept = 0; ///< characters of the reply's text that it goes on with
};

/// A user edits, asks again, lets a reply go on, or chooses where to go on.
struct change_branch {
  std::shared_ptr<const identity> who;
  branch_wish what;
};

} // namespace jessica::actors

#define JESSICA_LOCAL_MESSAGE(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(type)
JESSICA_LOCAL_MESSAGE(jessica::receipt)
JESSICA_LOCAL_MESSAGE(jessica::prompt)
JESSICA_LOCAL_MESSAGE(jessica::job_status)
JESSICA_LOCAL_MESSAGE(jessica::job_hold)
JESSICA_LOCAL_MESSAGE(jessica::stop_receipt)
JESSICA_LOCAL_MESSAGE(jessica::storage::claimed_jobs)
JESSICA_LOCAL_MESSAGE(jessica::actors::enqueue)
JESSICA_LOCAL_MESSAGE(jessica::actors::finish)
JESSICA_LOCAL_MESSAGE(jessica::actors::save_progress)
JESSICA_LOCAL_MESSAGE(jessica::actors::give_up)
JESSICA_LOCAL_MESSAGE(jessica::actors::batch)
JESSICA_LOCAL_MESSAGE(jessica::actors::batch_result)
JESSICA_LOCAL_MESSAGE(jessica::actors::run_job)
JESSICA_LOCAL_MESSAGE(jessica::actors::heartbeat)
JESSICA_LOCAL_MESSAGE(jessica::actors::lease_held)
JESSICA_LOCAL_MESSAGE(jessica::actors::claim_jobs)
JESSICA_LOCAL_MESSAGE(jessica::actors::leave_cluster)
JESSICA_LOCAL_MESSAGE(jessica::actors::list_held)
JESSICA_LOCAL_MESSAGE(jessica::actors::held_jobs)
JESSICA_LOCAL_MESSAGE(jessica::actors::hand_back_jobs)
JESSICA_LOCAL_MESSAGE(jessica::actors::beat)
JESSICA_LOCAL_MESSAGE(jessica::actors::jobs_ready)
JESSICA_LOCAL_MESSAGE(jessica::actors::jobs_due)
JESSICA_LOCAL_MESSAGE(jessica::actors::stop_jobs)
JESSICA_LOCAL_MESSAGE(jessica::actors::stop_reply)
JESSICA_LOCAL_MESSAGE(jessica::actors::run_queued)
JESSICA_LOCAL_MESSAGE(jessica::actors::queue_report)
JESSICA_LOCAL_MESSAGE(jessica::actors::stop_job)
JESSICA_LOCAL_MESSAGE(jessica::actors::tool_ended)
JESSICA_LOCAL_MESSAGE(jessica::actors::job_ended)
JESSICA_LOCAL_MESSAGE(jessica::actors::drain)
JESSICA_LOCAL_MESSAGE(jessica::actors::drain_deadline)
JESSICA_LOCAL_MESSAGE(jessica::actors::generated)
JESSICA_LOCAL_MESSAGE(jessica::actors::try_again)
JESSICA_LOCAL_MESSAGE(jessica::actors::fetch_prompt)
JESSICA_LOCAL_MESSAGE(jessica::actors::change_branch)
#undef JESSICA_LOCAL_MESSAGE
