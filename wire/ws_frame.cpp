#include "wire/ws_frame.hpp"

#include <utility>

namespace jessica::wire {
namespace {

constexpr auto final_bit = 0x80U;
// The length byte: a size up to 125, or which wider field follows.
constexpr auto largest_short = std::size_t{125};
constexpr auto largest_medium = std::size_t{0xffff};
constexpr auto medium_follows = char{126};
constexpr auto long_follows = char{127};

void append_big_endian(std::string& to, std::uint64_t value, unsigned bytes) {
  for (auto left = bytes; left > 0; --left)
    to += static_cast<char>(value >> (8U * (left - 1)) & 0xffU);
}

} // namespace

std::size_t ws_header_size(std::size_t payload_bytes) noexcept {
  if (payload_bytes <= largest_short)
    return 2;
  return payload_bytes <= largest_medium ? 4 : 10;
}

void append_ws_header(std::string& to, ws_opcode opcode, std::size_t payload_bytes) {
  to += static_cast<char>(final_bit | static_cast<unsigned>(opcode));
  if (payload_bytes <= largest_short) {
    to += static_cast<char>(payload_bytes);
  } else if (payload_bytes <= largest_medium) {
    to += medium_follows;
    append_big_endian(to, payload_bytes, 2);
  } else {
    to += long_follows;
    append_big_endian(to, payload_bytes, 8);
  }
}

frame make_frame(ws_opcode opcode, std::string_view payload) {
  auto bytes = std::string{};
  bytes.reserve(ws_header_size(payload.size()) + payload.size());
  append_ws_header(bytes, opcode, payload.size());
  bytes += payload;
  return std::make_shared<const std::string>(std::move(bytes));
}

} // namespace jessica::wire
