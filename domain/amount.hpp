// Money in exact numbers: prices of tokens are far below a cent.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jessica {

/// A sum in millionths of a millionth of the currency's unit: what one token costs at
/// one millionth a million tokens, so that no product of tokens and price is rounded.
struct amount {
  std::int64_t picos = 0;

  friend auto operator<=>(const amount&, const amount&) = default;
};

/// As a decimal number without superfluous zeros: "0.00123", "0", "12". Not negative.
[[nodiscard]] std::string text_of(amount sum);

/// Millionths of a unit, of a plain decimal number: "2.50" is 2'500'000. Nullopt:
/// something else, more than six decimals, or 1'000'000 and more.
[[nodiscard]] std::optional<std::int64_t> parse_millionths(std::string_view text);

} // namespace jessica
