#include "domain/ids.hpp"

#include <chrono>
#include <random>

namespace jessica {
namespace {

constexpr auto hex_digits = std::string_view{"0123456789abcdef"};
constexpr auto text_length = std::size_t{36};

[[nodiscard]] int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

[[nodiscard]] bool is_dash_position(std::size_t i) noexcept {
  return i == 8 || i == 13 || i == 18 || i == 23;
}

} // namespace

std::optional<uuid> uuid::parse(std::string_view text) noexcept {
  if (text.size() != text_length)
    return std::nullopt;
  auto parsed = uuid{};
  auto nibble = std::size_t{0};
  for (auto i = std::size_t{0}; i < text.size(); ++i) {
    if (is_dash_position(i)) {
      if (text[i] != '-')
        return std::nullopt;
      continue;
    }
    const auto value = hex_value(text[i]);
    if (value < 0)
      return std::nullopt;
    auto& byte = parsed.bytes[nibble / 2];
    byte = static_cast<std::uint8_t>((byte << 4U) | static_cast<unsigned>(value));
    ++nibble;
  }
  return parsed;
}

uuid uuid::make() {
  // One generator a thread, seeded from the system: ids are unique, not secret.
  thread_local auto random = std::mt19937_64{[] {
    auto device = std::random_device{};
    auto seed = std::seed_seq{device(), device(), device(), device()};
    return std::mt19937_64{seed};
  }()};
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::system_clock::now().time_since_epoch());
  const auto millis = static_cast<std::uint64_t>(now.count());
  auto made = uuid{};
  for (auto i = std::size_t{0}; i < 6; ++i)
    made.bytes[i] = static_cast<std::uint8_t>(millis >> (8 * (5 - i)));
  const auto tail = std::array{random(), random()};
  for (auto i = std::size_t{6}; i < made.bytes.size(); ++i)
    made.bytes[i] = static_cast<std::uint8_t>(tail[i % 2] >> (8 * (i / 2 - 3)));
  made.bytes[6] = static_cast<std::uint8_t>((made.bytes[6] & 0x0fU) | 0x70U); // version
  made.bytes[8] = static_cast<std::uint8_t>((made.bytes[8] & 0x3fU) | 0x80U); // variant
  return made;
}

std::string uuid::str() const {
  auto text = std::string{};
  text.reserve(text_length);
  for (auto i = std::size_t{0}; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10)
      text += '-';
    text += hex_digits[bytes[i] >> 4U];
    text += hex_digits[bytes[i] & 0x0fU];
  }
  return text;
}

} // namespace jessica
