// Reads and cuts UTF-8 without ever splitting a code point.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace jessica {

struct code_point {
  char32_t value = 0;
  std::size_t size = 1; ///< bytes it takes in the text
  bool valid = true;    ///< else `value` is U+FFFD and `size` 1
};

/// The code point at the start of `text`, which must not be empty. Overlong forms,
/// surrogates and values past U+10FFFF are not valid.
[[nodiscard]] constexpr code_point first_code_point(std::string_view text) noexcept {
  constexpr auto broken = code_point{U'\uFFFD', 1, false};
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto lead = byte(0);
  if (lead < 0x80)
    return {lead, 1, true};
  const auto size = lead >= 0xf0 ? 4U : lead >= 0xe0 ? 3U : 2U;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < size)
    return broken;
  auto value = static_cast<char32_t>(lead & (0x7fU >> size));
  for (auto i = std::size_t{1}; i < size; ++i) {
    if ((byte(i) & 0xc0U) != 0x80U)
      return broken;
    value = (value << 6U) | (byte(i) & 0x3fU);
  }
  constexpr char32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const auto surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < least[size] || surrogate || value > 0x10ffff)
    return broken;
  return {value, size, true};
}

/// The longest part from the start that has at most `limit` bytes and ends between code
/// points.
[[nodiscard]] constexpr std::string_view cut_utf8(std::string_view text,
                                                  std::size_t limit) noexcept {
  if (text.size() <= limit)
    return text;
  auto end = limit;
  for (auto back = 0; end > 0 && back < 3; ++back) {
    if ((static_cast<unsigned char>(text[end]) & 0xc0U) != 0x80U)
      break;
    --end;
  }
  return text.substr(0, end);
}

} // namespace jessica
