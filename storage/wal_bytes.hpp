// Reads and writes the big-endian numbers and texts of PostgreSQL's replication
// protocol. Private to this room and its tests.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace jessica::storage {

/// Takes bytes from the front. A read past the end gives zero or nothing, and from then
/// on good() is false: check it before anything that was read is used.
class byte_reader {
public:
  explicit byte_reader(std::string_view bytes) noexcept : left_{bytes} {}

  [[nodiscard]] bool good() const noexcept { return good_; }
  /// Everything was read, and nothing was missing.
  [[nodiscard]] bool finished() const noexcept { return good_ && left_.empty(); }
  [[nodiscard]] std::size_t left() const noexcept { return left_.size(); }

  template <std::integral Number> [[nodiscard]] Number number() noexcept {
    auto value = std::make_unsigned_t<Number>{0};
    for (const auto byte : text(sizeof(Number))) {
      // A shift by 8 of one byte would leave nothing.
      value = static_cast<decltype(value)>(std::uint64_t{value} << 8U |
                                           static_cast<unsigned char>(byte));
    }
    return static_cast<Number>(value);
  }
  [[nodiscard]] char byte() noexcept { return number<char>(); }

  /// The next bytes; a view of what the reader was made from.
  [[nodiscard]] std::string_view text(std::size_t size) noexcept {
    if (!good_ || size > left_.size()) {
      good_ = false;
      return {};
    }
    const auto taken = left_.substr(0, size);
    left_.remove_prefix(size);
    return taken;
  }
  /// Bytes whose count stands before them; a negative one is a failure.
  [[nodiscard]] std::string_view counted_text() noexcept {
    const auto size = number<std::int32_t>();
    good_ = good_ && size >= 0;
    return good_ ? text(static_cast<std::size_t>(size)) : std::string_view{};
  }
  /// Bytes up to a zero byte, which is taken too.
  [[nodiscard]] std::string_view terminated_text() noexcept {
    const auto end = left_.find('\0');
    good_ = good_ && end != std::string_view::npos;
    const auto taken = good_ ? text(end) : std::string_view{};
    (void)text(1);
    return taken;
  }

private:
  std::string_view left_;
  bool good_ = true;
};

/// Appends a number.
template <std::integral Number> void put(std::string& bytes, Number value) {
  const auto wide = static_cast<std::make_unsigned_t<Number>>(value);
  for (auto at = sizeof(Number); at-- > 0;) {
    bytes += static_cast<char>(static_cast<unsigned char>(wide >> (at * 8U)));
  }
}

} // namespace jessica::storage
