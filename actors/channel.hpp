// CHANNEL: one live topic. See protocol.hpp for the promises.
#pragma once

#include "actors/presence.hpp"
#include "actors/protocol.hpp"
#include "actors/slow_readers.hpp"
#include "actors/stored_delivery.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace jessica::actors {

/// A reply that is being written, as a joining client must learn of it.
struct running_reply {
  std::int32_t attempt = 1;
  std::uint64_t seq = 0;
  std::string text;
};

struct channel_state {
  topic subject; ///< not "name": CAF reads that as the actor's own
  hub_actor hub;
  std::vector<member> members;
  presence here;
  std::vector<socket_number> lost; ///< members whose sockets were found closed
  stored_delivery stored;
  std::unordered_map<message_id, running_reply> replies;
  slow_readers slow;
  std::uint64_t seen = 0;        ///< counted messages from HUB
  std::size_t uses_expected = 0; ///< INFERENCEs that asked for us and have not begun
};

channel_actor::behavior_type
channel(channel_actor::stateful_pointer<channel_state> self, topic subject,
        hub_actor hub);

} // namespace jessica::actors
