#include "bench/load/ws_frames.hpp"

#include <array>
#include <cstring>

namespace jessica::bench {
namespace {

constexpr auto final_bit = std::uint8_t{0x80};
constexpr auto mask_bit = std::uint8_t{0x80};
/// Payload sizes that stand for "the next 2 (8) bytes hold the size".
constexpr auto two_more = std::size_t{126};
constexpr auto eight_more = std::size_t{127};
/// Far above what the servers under test send.
constexpr auto max_payload_bytes = std::uint64_t{16} << 20;

void append_size(std::string& to, std::size_t value, int bytes) {
  for (auto shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    to += static_cast<char>(value >> shift & 0xff);
}

[[nodiscard]] std::uint64_t read_size(std::string_view bytes) {
  auto value = std::uint64_t{0};
  for (const auto byte : bytes)
    value = value << 8 | static_cast<std::uint8_t>(byte);
  return value;
}

[[nodiscard]] bool known(std::uint8_t code) {
  return code == 1 || code == 2 || (code >= 8 && code <= 10);
}

} // namespace

void append_client_frame(std::string& to, opcode kind, std::string_view payload,
                         std::uint32_t mask) {
  to += static_cast<char>(final_bit | static_cast<std::uint8_t>(kind));
  if (payload.size() < two_more) {
    to += static_cast<char>(mask_bit | payload.size());
  } else if (payload.size() <= 0xffff) {
    to += static_cast<char>(mask_bit | two_more);
    append_size(to, payload.size(), 2);
  } else {
    to += static_cast<char>(mask_bit | eight_more);
    append_size(to, payload.size(), 8);
  }
  auto key = std::array<char, sizeof mask>{};
  std::memcpy(key.data(), &mask, sizeof mask);
  to.append(key.data(), key.size());
  const auto begin = to.size();
  to += payload;
  for (auto i = std::size_t{0}; i < payload.size(); ++i)
    to[begin + i] = static_cast<char>(to[begin + i] ^ key[i % key.size()]);
}

result<std::optional<server_frame>> first_frame(std::string_view bytes) {
  if (bytes.size() < 2)
    return std::nullopt;
  const auto first = static_cast<std::uint8_t>(bytes[0]);
  const auto second = static_cast<std::uint8_t>(bytes[1]);
  const auto code = static_cast<std::uint8_t>(first & 0x0f);
  if ((first & 0xf0) != final_bit || !known(code))
    return fail(errc::invalid_input, "the server sent a frame that is not understood");
  if ((second & mask_bit) != 0)
    return fail(errc::invalid_input, "the server sent a masked frame");
  const auto more = second == two_more ? 2U : second == eight_more ? 8U : 0U;
  const auto header = std::size_t{2} + more;
  if (bytes.size() < header)
    return std::nullopt;
  const auto size = more == 0 ? second : read_size(bytes.substr(2, more));
  if (size > max_payload_bytes)
    return fail(errc::too_large, "the server sent a frame that is too large");
  const auto payload = static_cast<std::size_t>(size);
  if (bytes.size() - header < payload)
    return std::nullopt;
  return server_frame{opcode{code}, bytes.substr(header, payload), header + payload};
}

} // namespace jessica::bench
