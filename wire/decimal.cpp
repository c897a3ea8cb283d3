#include "wire/decimal.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstddef>
#include <system_error>
#include <utility>

namespace jessica::wire {
namespace {

// PostgreSQL keeps at most 131072 digits before the point and 16383 after it.
constexpr auto largest_exponent = std::int64_t{131'072};

[[nodiscard]] bool same_word(std::string_view text, std::string_view lower) {
  return std::ranges::equal(text, lower, {}, [](char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  });
}

/// Takes the digits off the front.
[[nodiscard]] std::string_view take_digits(std::string_view& rest) {
  const auto size = std::min(rest.find_first_not_of("0123456789"), rest.size());
  const auto digits = rest.substr(0, size);
  rest.remove_prefix(size);
  return digits;
}

/// "", "e5", "E-5".
[[nodiscard]] std::optional<std::int64_t> read_exponent(std::string_view text) {
  if (text.empty())
    return 0;
  if (text.front() != 'e' && text.front() != 'E')
    return std::nullopt;
  text.remove_prefix(1);
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-'))
      return std::nullopt;
  }
  auto value = std::int64_t{0};
  const auto* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (read.ec != std::errc{} || read.ptr != end || value > largest_exponent ||
      value < -largest_exponent)
    return std::nullopt;
  return value;
}

} // namespace

std::optional<decimal> decimal::read(std::string_view text) {
  auto number = decimal{};
  if (same_word(text, "nan")) {
    number.rank_ = rank::nan;
    return number;
  }
  const auto negative = text.starts_with('-');
  if (negative || text.starts_with('+'))
    text.remove_prefix(1);
  if (same_word(text, "infinity") || same_word(text, "inf")) {
    number.rank_ = negative ? rank::low : rank::high;
    return number;
  }
  const auto before = take_digits(text);
  auto after = std::string_view{};
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    after = take_digits(text);
  }
  const auto exponent = read_exponent(text);
  if ((before.empty() && after.empty()) || !exponent)
    return std::nullopt;
  auto digits = std::string{before}.append(after);
  const auto first = digits.find_first_not_of('0');
  if (first == std::string::npos)
    return number;
  digits.erase(digits.find_last_not_of('0') + 1);
  digits.erase(0, first);
  number.sign_ = negative ? -1 : 1;
  number.point_ = static_cast<std::int64_t>(before.size()) -
                  static_cast<std::int64_t>(first) + *exponent;
  number.digits_ = std::move(digits);
  return number;
}

std::strong_ordering operator<=>(const decimal& a, const decimal& b) noexcept {
  if (a.rank_ != b.rank_ || a.rank_ != decimal::rank::finite)
    return a.rank_ <=> b.rank_;
  if (a.sign_ != b.sign_ || a.sign_ == 0)
    return a.sign_ <=> b.sign_;
  const auto& left = a.sign_ > 0 ? a : b; // negative ones stand the other way round
  const auto& right = a.sign_ > 0 ? b : a;
  if (const auto size = left.point_ <=> right.point_; size != 0)
    return size;
  return left.digits_ <=> right.digits_;
}

} // namespace jessica::wire
