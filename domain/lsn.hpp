// A place in PostgreSQL's write-ahead log.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jessica {

/// Bytes since the log began: later commits have greater ones. Zero means "none".
struct lsn {
  std::uint64_t value = 0;

  /// Reads PostgreSQL's own form, two hexadecimal halves of 1 to 8 digits in either
  /// case, e.g. "0/16B3748"; anything else is nullopt.
  [[nodiscard]] static std::optional<lsn> parse(std::string_view text) noexcept;
  /// PostgreSQL's own form: "0/16B3748".
  [[nodiscard]] std::string str() const;
  [[nodiscard]] bool none() const noexcept { return value == 0; }

  friend auto operator<=>(const lsn&, const lsn&) = default;
};

} // namespace jessica
