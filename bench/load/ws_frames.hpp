// The client's side of WebSocket framing (RFC 6455, section 5): masked frames out,
// whole frames in. No I/O.
#pragma once

#include "domain/error.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jessica::bench {

enum class opcode : std::uint8_t {
  text = 1,
  binary = 2,
  close = 8,
  ping = 9,
  pong = 10
};

/// Appends one final frame, its payload masked with the four bytes of `mask`.
void append_client_frame(std::string& to, opcode kind, std::string_view payload,
                         std::uint32_t mask);

struct server_frame {
  opcode kind = opcode::text;
  std::string_view payload; ///< inside the bytes it was read from
  std::size_t size = 0;     ///< header included
};

/// The frame at the beginning of `bytes`; nullopt: it is not whole yet. Fails:
/// invalid_input (masked, fragmented, a reserved bit or opcode), too_large.
[[nodiscard]] result<std::optional<server_frame>> first_frame(std::string_view bytes);

} // namespace jessica::bench
