// Every actor's interface and nothing else: the map of the system. In comments and logs
// an actor is written in CAPITALS. Requests fail with a domain error
// (actors/errors.hpp).
#pragma once

#include "actors/broadcast_messages.hpp"
#include "actors/chat_messages.hpp"
#include "actors/rest_messages.hpp"
#include "actors/room_messages.hpp"

#include <caf/fwd.hpp>
#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

namespace jessica::actors {

/// SESSION is one WebSocket: its identity, its topics, its rate.
using session_actor = caf::typed_actor<
    // Acts on one frame. The socket reads the next one only after this answer.
    caf::replies_to<client_frame>::with<verdict>,
    // Leaves all topics and ends.
    caf::reacts_to<socket_closed>,
    // From DOORKEEPER: tells the channels of the login why, and closes them.
    caf::reacts_to<login_ended>,
    // From CHANNEL: tells the client, which joins again.
    caf::reacts_to<room_lost>,
    // From itself: closes the channels whose tokens have expired.
    caf::reacts_to<check_tokens>,
    // Tells all channels and closes the socket with 1012.
    caf::reacts_to<say_goodbye>>;

/// SESSION to DOORKEEPER: a client of mine shows a token of this login.
struct enter {
  session_actor from;
  login who;
};

/// DOORKEEPER knows which logins have sockets here and which of them are over: signed
/// out, or their user banned or deleted. It asks the database about a login once as
/// long as it is here, many at a time, and hears of ends from the log.
using doorkeeper_actor = caf::typed_actor<
    // From then on the SESSION hears of the login's end. Fails: unauthenticated with
    // session_ended; unavailable or timeout (the database cannot be asked).
    caf::replies_to<enter>::with<entered>,
    // Of a SESSION that ended no word is needed.
    caf::reacts_to<leave_login>,
    // From CHANGEFEED.
    caf::reacts_to<access_changed>, caf::reacts_to<doubt_logins>>;

struct open_room; // where a topic is

/// CHANNEL holds a share of the node's rooms, one a live topic: the members, who of
/// them shows itself, the running replies. It encodes a message once and hands the same
/// frame to all members. A room ends when nobody uses it; what comes for it then is
/// dropped.
using channel_actor = caf::typed_actor<
    // Through HUB. The answer is the same room as long as it is used.
    caf::replies_to<join_topic>::with<open_room>,
    caf::replies_to<open_topic>::with<open_room>,
    // From SESSION, which checked rights and limits; of a stranger: ignored.
    caf::reacts_to<leave>, caf::reacts_to<broadcast>, caf::reacts_to<track>,
    caf::reacts_to<untrack>, caf::reacts_to<hear>,
    // From HUB.
    caf::reacts_to<publish_on>,
    // From HUB: stored broadcasts, each to a member once; answered when they are sent.
    caf::replies_to<relay_stored>::with<done>,
    // From SESSION: of its own broadcasts, and of the past.
    caf::reacts_to<expect_own>, caf::reacts_to<forget_own>, caf::reacts_to<replay_to>,
    caf::reacts_to<greet>,
    // From INFERENCE: the life of one attempt at a reply.
    caf::reacts_to<reply_begun>, caf::reacts_to<reply_grew>,
    caf::reacts_to<reply_over>>;

struct open_room {
  channel_actor channel;
  room_number number = 0;

  friend bool operator==(const open_room& a, const open_room& b) noexcept {
    return a.number == b.number;
  }
};

/// HUB shares the topics out to the CHANNELs, each always to the same one.
using hub_actor = caf::typed_actor<
    // Admits the member; answers with the room to leave or broadcast to.
    caf::replies_to<join_topic>::with<open_room>,
    caf::replies_to<open_topic>::with<open_room>,
    // From BROADCASTER.
    caf::reacts_to<publish_on>,
    // From CHANGEFEED, which waits: answered when all members were told.
    caf::replies_to<tell_stored>::with<done>,
    caf::replies_to<list_told>::with<told_lately>>;

/// BROADCASTER takes broadcasts from outside their channels: asks who may send them,
/// counts them, hands them to HUB or to the table.
using broadcaster_actor = caf::typed_actor<
    // Fails: overloaded (reason too_many_messages, or a full queue), unavailable,
    // invalid_input (not to be stored).
    caf::replies_to<send_broadcasts>::with<broadcasts_sent>>;

/// DISPATCHER holds the node's lease, counts slots and runs one INFERENCE a job: users
/// in turns, at most a few of one user.
using dispatcher_actor = caf::typed_actor<
    caf::reacts_to<run_job>, caf::reacts_to<job_ended>, caf::reacts_to<beat>,
    // From CHANGEFEED: look for jobs; stop those that run here.
    caf::reacts_to<jobs_ready>, caf::reacts_to<stop_jobs>, caf::reacts_to<jobs_due>,
    // As the user, on whatever node the job runs. Idempotent. Fails: not_found.
    caf::replies_to<stop_reply>::with<stop_receipt>,
    // Fails: unavailable (no lease now).
    caf::replies_to<run_queued>::with<queue_report>, caf::replies_to<drain>::with<done>,
    caf::reacts_to<drain_deadline>>;

/// DISPATCHER to PERSISTENCE: this is the node's lease. While `accepting`, new jobs are
/// born under it and I am told; else they are queued for whoever has room.
struct use_lease {
  lease_id lease;
  bool accepting = false;
  dispatcher_actor dispatcher;
};

/// PERSISTENCE takes every write of the chat and commits them in groups: what arrives
/// while a COMMITTER is busy becomes its next batch; when idle, a batch of one at once.
/// Full queue: overloaded.
using persistence_actor = caf::typed_actor<
    // Message, reply and job in one commit, then run_job to DISPATCHER.
    // Fails: forbidden, overloaded, unavailable.
    caf::replies_to<enqueue>::with<receipt>,
    // False: the job is no longer ours; nothing was stored.
    caf::replies_to<finish>::with<bool>, caf::replies_to<save_progress>::with<job_hold>,
    caf::replies_to<give_up>::with<job_status>, caf::reacts_to<use_lease>>;

/// COMMITTER owns one engine connection. Detached.
using committer_actor = caf::typed_actor<caf::replies_to<batch>::with<batch_result>>;

/// INFERENCE is one running job: asks the engine, streams to CHANNEL, stores the reply.
using inference_actor =
    caf::typed_actor<caf::reacts_to<generated>, caf::reacts_to<try_again>,
                     caf::reacts_to<stop_job>, caf::reacts_to<tool_ended>>;

/// KEEPER owns the connection on which the node's lease lives. Detached, in a POOL
/// of 1.
using keeper_actor =
    caf::typed_actor<caf::replies_to<heartbeat>::with<lease_held>,
                     caf::replies_to<claim_jobs>::with<storage::claimed_jobs>,
                     caf::replies_to<list_held>::with<held_jobs>,
                     caf::replies_to<hand_back_jobs>::with<done>,
                     caf::replies_to<leave_cluster>::with<done>,
                     caf::replies_to<are_you_free>::with<done>>;

/// JUDGE asks the policies who may do what on a private topic: what comes while it asks
/// becomes its next batch. Detached.
using judge_actor = caf::typed_actor<
    // Fails: unavailable, overloaded; invalid_input (a policy cannot judge the topic).
    caf::replies_to<probe_topic>::with<storage::topic_rights>,
    caf::reacts_to<judge_batch>>;

/// READER does as the asker, under row security, what the chat needs: prompts, the stop
/// of a reply, branches, one broadcast to be stored; and asks about logins. Detached,
/// in a POOL.
using reader_actor = caf::typed_actor<caf::replies_to<stop_reply>::with<stop_receipt>,
                                      caf::replies_to<find_ended>::with<ended_logins>,
                                      caf::replies_to<fetch_prompt>::with<prompt>,
                                      // Fails: forbidden, invalid_input, unavailable.
                                      caf::replies_to<store_broadcast>::with<done>,
                                      caf::replies_to<fetch_stored>::with<stored_page>,
                                      // Without reply and job, where none is made.
                                      // Fails: not_found, conflict, overloaded.
                                      caf::replies_to<change_branch>::with<receipt>,
                                      caf::replies_to<are_you_free>::with<done>>;

/// CATALOG keeps REST's snapshot of the schema and tells CLERKs of a new one. Detached.
using catalog_actor = caf::typed_actor<
    // Answers with what there is now; the asker hears of every later one.
    caf::replies_to<follow_schema>::with<schema_loaded>,
    // From CHANGEFEED, in commit order.
    caf::reacts_to<schema_changed>,
    // From CLERK: a name was not found. Looked up again, now and then.
    caf::reacts_to<schema_missed>, caf::reacts_to<schema_due>>;

/// CLERK carries out REST requests as their askers, each in a transaction of its own,
/// on several lines at once and without ever waiting for one of them. One for requests
/// that read, one for the rest.
using clerk_actor = caf::typed_actor<
    // Waits in a bounded queue when no line is free. Fails as rest_line does;
    // overloaded (the queue is full); unavailable (no schema, no database); timeout.
    caf::replies_to<perform>::with<rest_reply>,
    // Ends the statement, or takes the request out of the queue.
    caf::reacts_to<forget>,
    // From a socket_watch, and from itself.
    caf::reacts_to<line_ready>, caf::reacts_to<look_at_lines>,
    // From CATALOG.
    caf::reacts_to<schema_loaded>>;

/// PORTER does for a CLERK what blocks: opens its lines, ends their statements.
/// Detached.
using porter_actor = caf::typed_actor<caf::replies_to<open_line>::with<line_opened>,
                                      caf::replies_to<stop_line>::with<done>>;

/// CHANGEFEED follows the database's log and tells the node's actors what concerns
/// them, in commit order. Detached.
using changefeed_actor =
    caf::typed_actor<caf::reacts_to<read_on>, caf::reacts_to<hurry_to>,
                     // Fails: unavailable (the log cannot be read now).
                     caf::replies_to<subscribe_changes>::with<changes_subscribed>,
                     caf::reacts_to<unsubscribe_changes>,
                     caf::replies_to<await_feed>::with<done>>;

} // namespace jessica::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jessica::actors::use_lease)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jessica::actors::enter)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(jessica::actors::open_room)
