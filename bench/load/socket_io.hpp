// Socket.IO's packets inside WebSocket text frames (Engine.IO protocol 4), as far as a
// client needs them that connects, answers pings, and sends and hears events with one
// JSON argument. No I/O.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace jessica::bench {

struct socket_io_packet {
  enum class what : std::uint8_t { open, ping, connected, event, other };
  what kind = what::other;
  std::string_view event;    ///< of an event
  std::string_view argument; ///< of an event, as it stands
};

inline constexpr auto socket_io_pong = std::string_view{"3"};
inline constexpr auto socket_io_connect = std::string_view{"40"};

/// Views into the text. An event of another shape is `other`.
[[nodiscard]] socket_io_packet read_socket_io(std::string_view text);

/// The name must need no escapes.
[[nodiscard]] std::string socket_io_event(std::string_view event,
                                          std::string_view argument);

} // namespace jessica::bench
