// The messages of Realtime: SESSION, DOORKEEPER, HUB and CHANNEL, and what they ask of
// the log, of JUDGE and of READER.
#pragma once

#include "actors/change_router.hpp"
#include "actors/messages.hpp"
#include "actors/outbox.hpp"
#include "actors/user_meter.hpp"
#include "domain/chat.hpp"
#include "domain/identity.hpp"
#include "domain/login.hpp"
#include "storage/policy.hpp"
#include "wire/phoenix.hpp"
#include "wire/reply_events.hpp"

#include <caf/actor_control_block.hpp>
#include <caf/allowed_unsafe_message_type.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::actors {

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

/// A room of this process. Never that of another room, not even later.
using room_number = std::uint64_t;

/// A room's name, kept elsewhere: private and public channels of one name are different
/// rooms.
struct topic_view {
  std::string_view name; ///< without "realtime:"
  bool is_private = false;

  friend bool operator==(const topic_view&, const topic_view&) = default;
};

struct topic_hash {
  [[nodiscard]] std::size_t operator()(topic_view what) const noexcept {
    constexpr auto of_private = std::size_t{0x9e3779b97f4a7c15};
    return std::hash<std::string_view>{}(what.name) ^
           (what.is_private ? of_private : std::size_t{0});
  }
};

struct topic {
  std::string name;
  bool is_private = false;

  operator topic_view() const noexcept { return {name, is_private}; }
  friend bool operator==(const topic&, const topic&) = default;
};

/// A socket that joined a topic, with what is needed to write to it: one is kept for
/// each as long as it is joined.
struct member {
  socket_number socket = 0;
  outbox_ptr out;
  caf::weak_actor_ptr session; ///< hears when the room fails
  std::optional<std::string> join_ref;
  std::string presence_key; ///< under which it shows itself; empty: made when it does
  wire::serializer version = wire::serializer::v2;
  bool self = false;      ///< own broadcasts come back
  bool broadcasts = true; ///< may hear broadcasts and replies
  bool presence = false;  ///< hears who is here, and may
};

/// A message that one member gets.
struct greeting {
  std::string event;
  std::string payload; ///< JSON object
};

/// How a member comes in.
struct newcomer {
  actors::member member;
  std::optional<std::string> ref;    ///< of the phx_join
  std::string join_response;         ///< JSON object of the phx_reply
  std::vector<greeting> greetings{}; ///< sent right behind the phx_reply
  bool replayed = false;             ///< admitted when a replay_to brings the past
};

/// Adds a member to a topic: answers its phx_join, then sends snapshots. The asker is
/// its SESSION.
struct join_topic {
  actors::topic topic;
  newcomer who;
};

/// Gives the topic's room, made when there is none, which waits for being used: for a
/// reply that begins.
struct open_topic {
  actors::topic topic;
};

/// CHANNEL to SESSION: a room with a member of yours failed, and all in it is lost.
struct room_lost {
  room_number room = 0;
};

struct leave {
  room_number room = 0;
  socket_number socket = 0;
};

/// A broadcast of a member (or of the server: sender 0).
struct broadcast {
  room_number room = 0;
  socket_number sender = 0;
  wire::app_broadcast what;
};

/// A member shows itself to the room, or shows itself anew.
struct track {
  room_number room = 0;
  socket_number socket = 0;
  std::string meta; ///< JSON object without phx_ref and phx_ref_prev
};
struct untrack {
  room_number room = 0;
  socket_number socket = 0;
};
/// A new token changed what a member may hear.
struct hear {
  room_number room = 0;
  socket_number socket = 0;
  bool broadcasts = false;
  bool presence = false;
};

/// An attempt at a reply begins (again: `resumed` brings a restarted CHANNEL up to
/// date).
struct reply_begun {
  room_number room = 0;
  job what;
  std::string model;
  struct progress {
    std::uint64_t seq = 0;
    std::string text;
  };
  std::optional<progress> resumed;
  std::vector<recalled_memory> memories = {};
  std::string goes_on = {}; ///< with this text of the same reply
};

/// Tokens first_seq..seq of a reply.
struct reply_grew {
  room_number room = 0;
  wire::reply_ref of;
  std::uint64_t first_seq = 1;
  std::uint64_t seq = 1;
  std::string text;
};

/// A reply's end, after its commit (or the end of our right to tell: `lost`).
struct reply_over {
  enum class how : std::uint8_t { completed, cancelled, failed, retrying, lost };
  room_number room = 0;
  wire::reply_ref of;
  how end = how::completed;
  std::uint64_t seq = 0;
  std::string finish_reason; ///< completed
  std::string what;          ///< failed: shown to the user
  usage used;
};

// --- CHANGEFEED ----------------------------------------------------------------------

struct read_on {};

/// MEMORY: somebody waits until the log was read up to this place; tell INDEXER soon.
struct hurry_to {
  lsn place;
};

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

// --- JUDGE ---------------------------------------------------------------------------

/// What may `who` do on this private topic?
struct probe_topic {
  std::shared_ptr<const identity> who;
  std::string topic;
};
/// JUDGE to itself: answer those who wait.
struct judge_batch {};

// --- READER --------------------------------------------------------------------------

struct find_ended {
  std::vector<login> logins;
};
struct ended_logins {
  std::vector<access_change> what;
};

} // namespace jessica::actors

#define JESSICA_LOCAL_MESSAGE(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(type)
JESSICA_LOCAL_MESSAGE(jessica::storage::topic_rights)
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
JESSICA_LOCAL_MESSAGE(jessica::actors::room_lost)
JESSICA_LOCAL_MESSAGE(jessica::actors::leave)
JESSICA_LOCAL_MESSAGE(jessica::actors::broadcast)
JESSICA_LOCAL_MESSAGE(jessica::actors::track)
JESSICA_LOCAL_MESSAGE(jessica::actors::untrack)
JESSICA_LOCAL_MESSAGE(jessica::actors::hear)
JESSICA_LOCAL_MESSAGE(jessica::actors::reply_begun)
JESSICA_LOCAL_MESSAGE(jessica::actors::reply_grew)
JESSICA_LOCAL_MESSAGE(jessica::actors::reply_over)
JESSICA_LOCAL_MESSAGE(jessica::actors::read_on)
JESSICA_LOCAL_MESSAGE(jessica::actors::hurry_to)
JESSICA_LOCAL_MESSAGE(jessica::actors::subscribe_changes)
JESSICA_LOCAL_MESSAGE(jessica::actors::changes_subscribed)
JESSICA_LOCAL_MESSAGE(jessica::actors::unsubscribe_changes)
JESSICA_LOCAL_MESSAGE(jessica::actors::probe_topic)
JESSICA_LOCAL_MESSAGE(jessica::actors::judge_batch)
JESSICA_LOCAL_MESSAGE(jessica::actors::find_ended)
JESSICA_LOCAL_MESSAGE(jessica::actors::ended_logins)
#undef JESSICA_LOCAL_MESSAGE
