// Realtime messages as the unmodified client sends and reads them, serializer 2.0.0.
// Every client of a bench is in one topic, with join_ref "1".
#pragma once

#include "bench/load/ws_frames.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jessica::bench {

inline constexpr auto join_ref = std::uint64_t{1};

struct join_options {
  bool is_private = false;
  bool self = false;             ///< own broadcasts come back
  bool ack = false;              ///< each broadcast is answered
  std::string_view changes = {}; ///< the bindings to rows, JSON objects with commas
};

/// The text frame that joins `topic`; `token` is the user's or empty.
[[nodiscard]] std::string join_message(std::string_view topic, std::string_view token,
                                       join_options how);

/// The text frame that keeps a silent socket.
[[nodiscard]] std::string heartbeat_message(std::uint64_t ref);

/// The binary frame that broadcasts a JSON payload. Topic and event: at most 255 bytes.
[[nodiscard]] std::string broadcast_message(std::string_view topic, std::uint64_t ref,
                                            std::string_view event,
                                            std::string_view payload);

/// The binary frame in which a server delivers such a broadcast.
[[nodiscard]] std::string delivered_message(std::string_view topic,
                                            std::string_view event,
                                            std::string_view payload);

struct message {
  enum class what : std::uint8_t { reply, broadcast, other };
  what kind = what::other;
  std::uint64_t ref = 0;    ///< of a reply
  bool ok = false;          ///< of a reply
  std::string_view event;   ///< a broadcast's is the application's
  std::string_view payload; ///< of a reply: {"status":..,"response":..}
};

/// Views into the frame. nullopt: no message of serializer 2.0.0.
[[nodiscard]] std::optional<message> read_message(const server_frame& from);

} // namespace jessica::bench
