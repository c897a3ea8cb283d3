#include "wire/base64url.hpp"

#include <sodium.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace jessica::wire {
namespace {

constexpr auto alphabet = std::string_view{
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"};
/// Set in the value of a character that is not in the alphabet.
constexpr auto foreign = std::uint8_t{0x80};

constexpr auto values = [] {
  auto table = std::array<std::uint8_t, 256>{};
  table.fill(foreign);
  for (auto i = std::size_t{0}; i < alphabet.size(); ++i)
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  return table;
}();

[[nodiscard]] std::uint32_t value_of(char c) noexcept {
  return values[static_cast<unsigned char>(c)];
}

} // namespace

std::optional<std::string> decode_base64url(std::string_view text) {
  const auto loose = text.size() % 4; // characters after the last group of four
  if (loose == 1)
    return std::nullopt;
  auto bytes = std::string(text.size() * 3 / 4, '\0');
  auto* to = bytes.data();
  auto seen = std::uint32_t{0}; // all values met, or-ed
  const auto put = [&to](std::uint32_t bits, unsigned shift) {
    *to++ = static_cast<char>(bits >> shift & 0xffU);
  };
  const auto* from = text.data();
  for (auto groups = text.size() / 4; groups > 0; --groups, from += 4) {
    const auto a = value_of(from[0]);
    const auto b = value_of(from[1]);
    const auto c = value_of(from[2]);
    const auto d = value_of(from[3]);
    seen |= a | b | c | d;
    const auto bits = a << 18U | b << 12U | c << 6U | d;
    put(bits, 16);
    put(bits, 8);
    put(bits, 0);
  }
  if (loose > 0) {
    const auto c = loose == 3 ? value_of(from[2]) : 0U;
    seen |= value_of(from[0]) | value_of(from[1]) | c;
    const auto bits = value_of(from[0]) << 18U | value_of(from[1]) << 12U | c << 6U;
    put(bits, 16);
    if (loose == 3)
      put(bits, 8);
    const auto unused = loose == 3 ? 0xffU : 0xffffU;
    if ((bits & unused) != 0)
      return std::nullopt;
  }
  return (seen & foreign) == 0 ? std::optional{std::move(bytes)} : std::nullopt;
}

void append_base64url(std::string& to, std::span<const unsigned char> bytes) {
  constexpr auto variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
  const auto start = to.size();
  const auto length = sodium_base64_ENCODED_LEN(bytes.size(), variant);
  to.resize(start + length);
  sodium_bin2base64(to.data() + start, length, bytes.data(), bytes.size(), variant);
  to.pop_back(); // the closing NUL that sodium writes
}

} // namespace jessica::wire
