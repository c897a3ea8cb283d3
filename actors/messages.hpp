// One struct per message: commands are imperatives, events past participles. Messages
// stay inside the process (CAF is told so), hence no serialisation code.
#pragma once

#include "actors/change_router.hpp"
#include "actors/outbox.hpp"
#include "actors/user_meter.hpp"
#include "domain/account.hpp"
#include "domain/chat.hpp"
#include "domain/error.hpp"
#include "domain/identity.hpp"
#include "domain/login.hpp"
#include "domain/rest.hpp"
#include "engines/engine.hpp"
#include "storage/accounts.hpp"
#include "storage/jobs.hpp"
#include "storage/policy.hpp"
#include "storage/rest_schema.hpp"
#include "wire/phoenix.hpp"
#include "wire/reply_events.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace jessica::actors {

/// The answer of a command that has nothing to tell but that it worked.
struct done {};

// --- SESSION -------------------------------------------------------------------------

/// One message the client sent, unmasked and whole.
struct client_frame {
  std::string bytes;
  bool binary = false;
};

/// What the socket does after a frame.
enum class verdict : std::uint8_t { go_on, close };

/// The socket is gone.
struct socket_closed {};

/// The server is about to stop: say goodbye and close the socket.
struct say_goodbye {};

/// SESSION to itself: have tokens expired meanwhile?
struct check_tokens {};

/// DOORKEEPER to SESSION: channels that were joined with this login are over.
struct login_ended {
  login who;
};

// --- DOORKEEPER ----------------------------------------------------------------------

/// A login that may come in.
struct entered {
  std::shared_ptr<user_meter> meter; ///< shared by all sockets of the user
};

/// No channel of this SESSION uses the login any more.
struct leave_login {
  std::uint64_t from = 0; ///< the SESSION's actor id
  login who;
};

/// What the log tells of logins, in commit order.
struct access_changed {
  std::vector<access_change> what;
};

/// Changes may have been missed: ask the database about everybody who is here.
struct doubt_logins {};

// --- HUB and CHANNEL -----------------------------------------------------------------

/// A socket within one process.
using socket_number = std::uint64_t;

/// A socket that joined a topic, with what is needed to write to it.
struct member {
  socket_number socket = 0;
  outbox_ptr out;
  wire::serializer version = wire::serializer::v2;
  std::string topic; ///< as the client spells it: "realtime:<name>"
  std::optional<std::string> join_ref;
  std::optional<std::string> ref; ///< of the phx_join, answered by CHANNEL
  bool self = false;              ///< own broadcasts come back
  bool broadcasts = true;         ///< may hear broadcasts and replies
  bool replayed = false;          ///< a replay_to follows: what is stored waits for it
  bool presence = false;          ///< hears who is here, and may
  std::string presence_key;       ///< under which it shows itself
  std::string join_response;      ///< JSON object of the phx_reply
  struct greeting {
    std::string event;
    std::string payload; ///< JSON object
  };
  std::vector<greeting> greetings; ///< sent right behind the phx_reply
};

/// A room's name: private and public channels of one name are different rooms.
struct topic {
  std::string name; ///< without "realtime:"
  bool is_private = false;

  friend bool operator==(const topic&, const topic&) = default;
};

/// Adds a member to a topic; CHANNEL answers the phx_join, then sends snapshots.
struct join_topic {
  actors::topic topic;
  actors::member member;
};

/// Gives the topic's CHANNEL, made when there is none.
struct open_topic {
  actors::topic topic;
};

/// CHANNEL is empty and has handled `seen` messages from HUB: may it end?
struct passivate {
  actors::topic topic;
  std::uint64_t seen = 0;
};

/// HUB to CHANNEL; counted.
struct admit {
  actors::member member;
};

/// HUB to CHANNEL; counted: somebody is about to use this channel.
struct expect_use {};

struct leave {
  socket_number socket = 0;
};

/// A broadcast of a member (or of the server: sender 0).
struct broadcast {
  socket_number sender = 0;
  wire::app_broadcast what;
};

/// A member shows itself to the room, or shows itself anew.
struct track {
  socket_number socket = 0;
  std::string meta; ///< JSON object without phx_ref and phx_ref_prev
};
struct untrack {
  socket_number socket = 0;
};
/// A new token changed what a member may hear.
struct hear {
  socket_number socket = 0;
  bool broadcasts = false;
  bool presence = false;
};

/// An attempt at a reply begins (again: `resumed` brings a restarted CHANNEL up to
/// date).
struct reply_begun {
  job what;
  std::string model;
  struct progress {
    std::uint64_t seq = 0;
    std::string text;
  };
  std::optional<progress> resumed;
};

/// Tokens first_seq..seq of a reply.
struct reply_grew {
  wire::reply_ref of;
  std::uint64_t first_seq = 1;
  std::uint64_t seq = 1;
  std::string text;
};

/// A reply's end, after its commit (or the end of our right to tell: `lost`).
struct reply_over {
  enum class how : std::uint8_t { completed, cancelled, failed, retrying, lost };
  wire::reply_ref of;
  how end = how::completed;
  std::uint64_t seq = 0;
  std::string finish_reason; ///< completed
  std::string what;          ///< failed: shown to the user
  usage used;
};

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

// --- CHANGEFEED ----------------------------------------------------------------------

struct read_on {};

/// Follow changes from now on: whatever is committed after the answer is told.
struct subscribe_changes {
  change_subscriber who;
};
struct changes_subscribed {
  std::string problem; ///< of a binding, as the client reads it; empty: none
};
struct unsubscribe_changes {
  socket_number socket = 0;
  std::string topic;
  std::optional<std::string> join_ref;
};

// --- readers -------------------------------------------------------------------------

struct probe_topic {
  identity who;
  std::string topic;
};
struct find_ended {
  std::vector<login> logins;
};
struct ended_logins {
  std::vector<access_change> what;
};
struct fetch_prompt {
  user_id user;
  conversation_id conversation;
  message_id message;
};

// --- REST ----------------------------------------------------------------------------

/// Carry this request out as whoever asks.
struct perform {
  std::shared_ptr<const rest_request> what;
};
/// Tell me the schema now, and again whenever it changed.
struct follow_schema {};
struct schema_loaded {
  storage::schema_snapshot now; ///< null: it cannot be read yet
};
/// The database's shape is another than it was.
struct schema_changed {};
/// Something was looked for in this version in vain.
struct schema_missed {
  std::uint64_t version = 0;
};
/// The time has come to read the schema (again).
struct schema_due {};

// --- ACCOUNTS ------------------------------------------------------------------------

struct sign_up {
  storage::new_account what;
  client_origin from;
};
struct sign_in {
  std::string email;
  std::string password;
  client_origin from;
};
struct refresh_session {
  std::string refresh_token;
  client_origin from;
};
struct find_user {
  user_id user;
  auth_session_id session;
};
struct sign_out {
  user_id user;
  auth_session_id session;
  storage::logout_scope scope = storage::logout_scope::global;
};

// --- supervision ---------------------------------------------------------------------

/// POOL to worker, right behind a job: answered when the worker is free again.
struct are_you_free {};
/// A child that ended is started again.
struct restart_child {
  std::size_t slot = 0;
};

} // namespace jessica::actors

#define JESSICA_LOCAL_MESSAGE(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(type)
JESSICA_LOCAL_MESSAGE(jessica::error)
JESSICA_LOCAL_MESSAGE(jessica::receipt)
JESSICA_LOCAL_MESSAGE(jessica::prompt)
JESSICA_LOCAL_MESSAGE(jessica::job_status)
JESSICA_LOCAL_MESSAGE(jessica::job_hold)
JESSICA_LOCAL_MESSAGE(jessica::stop_receipt)
JESSICA_LOCAL_MESSAGE(jessica::storage::claimed_jobs)
JESSICA_LOCAL_MESSAGE(jessica::rest_reply)
JESSICA_LOCAL_MESSAGE(jessica::account)
JESSICA_LOCAL_MESSAGE(jessica::session_grant)
JESSICA_LOCAL_MESSAGE(jessica::storage::topic_rights)
JESSICA_LOCAL_MESSAGE(jessica::actors::done)
JESSICA_LOCAL_MESSAGE(jessica::actors::client_frame)
JESSICA_LOCAL_MESSAGE(jessica::actors::verdict)
JESSICA_LOCAL_MESSAGE(jessica::actors::socket_closed)
JESSICA_LOCAL_MESSAGE(jessica::actors::say_goodbye)
JESSICA_LOCAL_MESSAGE(jessica::actors::check_tokens)
JESSICA_LOCAL_MESSAGE(jessica::actors::login_ended)
JESSICA_LOCAL_MESSAGE(jessica::actors::entered)
JESSICA_LOCAL_MESSAGE(jessica::actors::leave_login)
JESSICA_LOCAL_MESSAGE(jessica::actors::access_changed)
JESSICA_LOCAL_MESSAGE(jessica::actors::doubt_logins)
JESSICA_LOCAL_MESSAGE(jessica::actors::join_topic)
JESSICA_LOCAL_MESSAGE(jessica::actors::open_topic)
JESSICA_LOCAL_MESSAGE(jessica::actors::passivate)
JESSICA_LOCAL_MESSAGE(jessica::actors::admit)
JESSICA_LOCAL_MESSAGE(jessica::actors::expect_use)
JESSICA_LOCAL_MESSAGE(jessica::actors::leave)
JESSICA_LOCAL_MESSAGE(jessica::actors::broadcast)
JESSICA_LOCAL_MESSAGE(jessica::actors::track)
JESSICA_LOCAL_MESSAGE(jessica::actors::untrack)
JESSICA_LOCAL_MESSAGE(jessica::actors::hear)
JESSICA_LOCAL_MESSAGE(jessica::actors::reply_begun)
JESSICA_LOCAL_MESSAGE(jessica::actors::reply_grew)
JESSICA_LOCAL_MESSAGE(jessica::actors::reply_over)
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
JESSICA_LOCAL_MESSAGE(jessica::actors::read_on)
JESSICA_LOCAL_MESSAGE(jessica::actors::subscribe_changes)
JESSICA_LOCAL_MESSAGE(jessica::actors::changes_subscribed)
JESSICA_LOCAL_MESSAGE(jessica::actors::unsubscribe_changes)
JESSICA_LOCAL_MESSAGE(jessica::actors::job_ended)
JESSICA_LOCAL_MESSAGE(jessica::actors::drain)
JESSICA_LOCAL_MESSAGE(jessica::actors::drain_deadline)
JESSICA_LOCAL_MESSAGE(jessica::actors::generated)
JESSICA_LOCAL_MESSAGE(jessica::actors::try_again)
JESSICA_LOCAL_MESSAGE(jessica::actors::perform)
JESSICA_LOCAL_MESSAGE(jessica::actors::follow_schema)
JESSICA_LOCAL_MESSAGE(jessica::actors::schema_loaded)
JESSICA_LOCAL_MESSAGE(jessica::actors::schema_changed)
JESSICA_LOCAL_MESSAGE(jessica::actors::schema_missed)
JESSICA_LOCAL_MESSAGE(jessica::actors::schema_due)
JESSICA_LOCAL_MESSAGE(jessica::actors::probe_topic)
JESSICA_LOCAL_MESSAGE(jessica::actors::find_ended)
JESSICA_LOCAL_MESSAGE(jessica::actors::ended_logins)
JESSICA_LOCAL_MESSAGE(jessica::actors::fetch_prompt)
JESSICA_LOCAL_MESSAGE(jessica::actors::sign_up)
JESSICA_LOCAL_MESSAGE(jessica::actors::sign_in)
JESSICA_LOCAL_MESSAGE(jessica::actors::refresh_session)
JESSICA_LOCAL_MESSAGE(jessica::actors::find_user)
JESSICA_LOCAL_MESSAGE(jessica::actors::sign_out)
JESSICA_LOCAL_MESSAGE(jessica::actors::are_you_free)
JESSICA_LOCAL_MESSAGE(jessica::actors::restart_child)
#undef JESSICA_LOCAL_MESSAGE
