// The messages of Realtime: SESSION, DOORKEEPER, HUB and CHANNEL, and what they ask of
// the log and of READER.
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

#include <caf/allowed_unsafe_message_type.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
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

// --- READER --------------------------------------------------------------------------

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
JESSICA_LOCAL_MESSAGE(jessica::actors::read_on)
JESSICA_LOCAL_MESSAGE(jessica::actors::subscribe_changes)
JESSICA_LOCAL_MESSAGE(jessica::actors::changes_subscribed)
JESSICA_LOCAL_MESSAGE(jessica::actors::unsubscribe_changes)
JESSICA_LOCAL_MESSAGE(jessica::actors::probe_topic)
JESSICA_LOCAL_MESSAGE(jessica::actors::find_ended)
JESSICA_LOCAL_MESSAGE(jessica::actors::ended_logins)
#undef JESSICA_LOCAL_MESSAGE
