// The messages by which broadcasts come into channels from outside: over HTTP, from
// realtime.messages, from the past.
#pragma once

#include "actors/room_messages.hpp"
#include "domain/ids.hpp"
#include "storage/broadcasts.hpp"
#include "wire/broadcast_http.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace jessica::actors {

/// One that was committed; channels share it.
using stored_ptr = std::shared_ptr<const storage::stored_broadcast>;

// --- HTTP ----------------------------------------------------------------------------

/// Broadcasts of somebody outside their channels, in order.
struct send_broadcasts {
  std::shared_ptr<const identity> who;
  std::string ip; ///< by which callers without an account are told apart
  std::vector<wire::outgoing_broadcast> messages;
};
struct broadcasts_sent {
  std::size_t refused = 0; ///< private ones that `who` may not send, which were not
};

/// To the members of a topic, if there are any.
struct publish_on {
  actors::topic topic;
  wire::app_broadcast what;
};

// --- stored broadcasts ---------------------------------------------------------------

/// Stores a broadcast on a private topic.
struct store_broadcast {
  std::shared_ptr<const identity> who;
  storage::new_broadcast what;
};

/// CHANGEFEED to HUB: these were committed, in this order.
struct tell_stored {
  std::vector<stored_ptr> what;
};

/// HUB to CHANNEL: those of its topics.
struct relay_stored {
  std::vector<stored_ptr> what;
};

/// A member is about to store this broadcast of its own and shall not hear it; or did
/// not store it after all.
struct expect_own {
  room_number room = 0;
  socket_number socket = 0;
  uuid id;
};
struct forget_own {
  room_number room = 0;
  socket_number socket = 0;
  uuid id;
};

/// Which transactions of stored broadcasts did HUB hear of lately? Queries may not see
/// them yet.
struct list_told {};
struct told_lately {
  std::vector<std::uint32_t> xids;
};

/// Reads stored broadcasts of a private topic once queries see these transactions.
struct fetch_stored {
  std::string topic;
  std::chrono::milliseconds since{0};
  std::size_t most = 0;
  std::vector<std::uint32_t> after;
};
struct stored_page {
  std::vector<stored_ptr> what; ///< in the order of their commits
};

/// What a member that joined with a wish for it hears of the past. Those that were
/// committed meanwhile, and are not among them, follow.
struct replay_to {
  room_number room = 0;
  socket_number socket = 0;
  std::optional<std::string> join_ref; ///< another join's: ignored
  std::vector<stored_ptr> what;
};

/// A message to one member behind what its join was answered with.
struct greet {
  room_number room = 0;
  socket_number socket = 0;
  std::optional<std::string> join_ref;
  greeting what;
};

/// Answered when the feed is open: stored broadcasts come from then on.
struct await_feed {};

} // namespace jessica::actors

#define JESSICA_LOCAL_MESSAGE(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(type)
JESSICA_LOCAL_MESSAGE(jessica::actors::send_broadcasts)
JESSICA_LOCAL_MESSAGE(jessica::actors::broadcasts_sent)
JESSICA_LOCAL_MESSAGE(jessica::actors::publish_on)
JESSICA_LOCAL_MESSAGE(jessica::actors::store_broadcast)
JESSICA_LOCAL_MESSAGE(jessica::actors::tell_stored)
JESSICA_LOCAL_MESSAGE(jessica::actors::relay_stored)
JESSICA_LOCAL_MESSAGE(jessica::actors::expect_own)
JESSICA_LOCAL_MESSAGE(jessica::actors::forget_own)
JESSICA_LOCAL_MESSAGE(jessica::actors::list_told)
JESSICA_LOCAL_MESSAGE(jessica::actors::told_lately)
JESSICA_LOCAL_MESSAGE(jessica::actors::fetch_stored)
JESSICA_LOCAL_MESSAGE(jessica::actors::stored_page)
JESSICA_LOCAL_MESSAGE(jessica::actors::replay_to)
JESSICA_LOCAL_MESSAGE(jessica::actors::greet)
JESSICA_LOCAL_MESSAGE(jessica::actors::await_feed)
#undef JESSICA_LOCAL_MESSAGE
