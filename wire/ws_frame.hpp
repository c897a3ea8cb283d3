// Server-to-client WebSocket frames (RFC 6455, section 5.2), header included, unmasked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace jessica::wire {

/// An encoded frame that all its receivers share.
using frame = std::shared_ptr<const std::string>;

enum class ws_opcode : std::uint8_t { text = 1, binary = 2 };

/// Size of the header of a frame with so much payload: 2, 4 or 10.
[[nodiscard]] std::size_t ws_header_size(std::size_t payload_bytes) noexcept;

/// Appends the header of one final frame; the payload must follow.
void append_ws_header(std::string& to, ws_opcode opcode, std::size_t payload_bytes);

/// One final frame with this payload.
[[nodiscard]] frame make_frame(ws_opcode opcode, std::string_view payload);

} // namespace jessica::wire
