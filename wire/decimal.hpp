// Exact decimal numbers as PostgreSQL's numeric has them: compared, never computed
// with.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jessica::wire {

/// -Infinity < every number < Infinity < NaN, as PostgreSQL sorts them.
class decimal {
public:
  /// "-12.50", "1e+20", "NaN", "-infinity": what numeric accepts, without spaces
  /// around. Nothing for other text and for exponents numeric has no room for.
  [[nodiscard]] static std::optional<decimal> read(std::string_view text);

  friend bool operator==(const decimal&, const decimal&) = default;
  friend std::strong_ordering operator<=>(const decimal& a, const decimal& b) noexcept;

private:
  enum class rank : std::int8_t { low, finite, high, nan };

  rank rank_ = rank::finite;
  int sign_ = 0;           ///< of a finite one: -1, 0, 1
  std::int64_t point_ = 0; ///< the value is 0.DIGITS times ten to this
  std::string digits_;     ///< no zero at either end; empty for zero
};

} // namespace jessica::wire
