// What CHANGEFEED does about stored broadcasts: hands them to HUB, in order, and reads
// no faster than they are told.
#pragma once

#include "actors/changefeed.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace jessica::actors::changefeed_stored {

using self_pointer = changefeed_actor::stateful_pointer<changefeed_state>;

/// A turn ends with so many lots under way; the next begins when all are told.
inline constexpr auto most_handed = std::size_t{8};

/// What was stored and no stream brought, as of the snapshot a stream begins with.
[[nodiscard]] result<std::vector<storage::stored_broadcast>>
read_missed(changefeed_state& state, std::string_view snapshot);

/// To HUB; counted until it answers.
void hand_out(self_pointer self, std::vector<stored_ptr> stored);

/// The next turn, now or when all that was handed out is told.
void read_when_told(self_pointer self);

/// The feed is open: whoever waits for it is told.
void say_open(changefeed_state& state);

} // namespace jessica::actors::changefeed_stored
