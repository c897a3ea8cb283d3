// Server-to-client WebSocket frames (RFC 6455, section 5.2), header included, unmasked.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace jessica::wire {

/// An encoded frame that all its receivers share.
using frame = std::shared_ptr<const std::string>;

enum class ws_opcode : std::uint8_t { text = 1, binary = 2 };

/// One final frame with this payload.
[[nodiscard]] frame make_frame(ws_opcode opcode, std::string_view payload);

} // namespace jessica::wire
