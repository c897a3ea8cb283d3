// Checks UTF-8 that comes in pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace jessica {

/// Knows at each byte whether valid text can go on like this: overlong forms,
/// surrogates and values past U+10FFFF fail at their first impossible byte. After the
/// decoder of the WHATWG Encoding Standard.
class utf8_check {
public:
  /// False: no text goes on like this; then the check is over.
  [[nodiscard]] constexpr bool take(std::string_view piece) noexcept {
    for (auto i = std::size_t{0}; i < piece.size(); ++i) {
      if (needed_ == 0)
        i += ascii_words(piece.substr(i));
      if (i < piece.size() && !take(static_cast<unsigned char>(piece[i])))
        return false;
    }
    return true;
  }
  /// What came so far ends between code points.
  [[nodiscard]] constexpr bool whole() const noexcept { return needed_ == 0; }

private:
  static constexpr unsigned char lowest = 0x80;
  static constexpr unsigned char highest = 0xbf;

  [[nodiscard]] constexpr bool take(unsigned char byte) noexcept {
    if (needed_ == 0)
      return begin(byte);
    if (byte < least_ || byte > most_)
      return false;
    least_ = lowest;
    most_ = highest;
    --needed_;
    return true;
  }

  /// The lead byte narrows the first byte behind it.
  [[nodiscard]] constexpr bool begin(unsigned char lead) noexcept {
    if (lead < 0x80)
      return true;
    if (lead < 0xc2 || lead > 0xf4)
      return false;
    needed_ = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    if (lead == 0xe0)
      least_ = 0xa0;
    else if (lead == 0xed)
      most_ = 0x9f;
    else if (lead == 0xf0)
      least_ = 0x90;
    else if (lead == 0xf4)
      most_ = 0x8f;
    return true;
  }

  /// How many bytes at the start are ASCII, counted in whole words.
  [[nodiscard]] static constexpr std::size_t
  ascii_words(std::string_view text) noexcept {
    constexpr auto high_bits = std::uint64_t{0x8080808080808080U};
    auto at = std::size_t{0};
    if !consteval {
      for (auto word = std::uint64_t{0}; at + sizeof word <= text.size();
           at += sizeof word) {
        std::memcpy(&word, text.data() + at, sizeof word);
        if ((word & high_bits) != 0)
          break;
      }
    }
    return at;
  }

  std::uint8_t needed_ = 0; ///< bytes until the code point is whole
  unsigned char least_ = lowest;
  unsigned char most_ = highest;
};

} // namespace jessica
