// What a client may not simply broadcast on a conversation's private topic: its events
// there are calls, or the server's alone.
#pragma once

#include "actors/room_messages.hpp"

#include <string_view>

namespace jessica::actors {

inline constexpr auto conversation_prefix = std::string_view{"conversation:"};

[[nodiscard]] inline bool is_conversation(topic_view what) noexcept {
  return what.is_private && what.name.starts_with(conversation_prefix);
}

/// Only the server may send it.
[[nodiscard]] inline bool is_reserved(topic_view on, std::string_view event) noexcept {
  return is_conversation(on) && event.starts_with("reply.");
}

/// A call of a member, which an outsider cannot make.
[[nodiscard]] inline bool is_call(topic_view on, std::string_view event) noexcept {
  return is_conversation(on) &&
         (event == "message.send" || event == "reply.stop" || event == "memory.search");
}

} // namespace jessica::actors
