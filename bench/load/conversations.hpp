// Users and conversations to chat in, made the way the client makes them.
#pragma once

#include "bench/load/channel_fleet.hpp"
#include "bench/load/servers.hpp"

#include <cstddef>
#include <vector>

namespace jessica::bench {

/// So many conversations, each with a first message, as seats of their private
/// channels. Every user signs up anonymously and has `each` of them.
[[nodiscard]] result<std::vector<seat>> open_conversations(const running_server& server,
                                                           std::size_t conversations,
                                                           std::size_t each);

} // namespace jessica::bench
