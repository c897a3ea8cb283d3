#include "domain/amount.hpp"

#include <charconv>
#include <format>

namespace jessica {
namespace {

constexpr auto decimals = std::size_t{6};
constexpr auto most_units = std::int64_t{1'000'000};

[[nodiscard]] std::optional<std::int64_t> parse_digits(std::string_view text) {
  auto value = std::int64_t{0};
  const auto* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  const auto plain = !text.empty() && text.front() >= '0' && text.front() <= '9';
  return plain && read.ec == std::errc{} && read.ptr == end ? std::optional{value}
                                                            : std::nullopt;
}

} // namespace

std::string text_of(amount sum) {
  constexpr auto unit = std::int64_t{1'000'000'000'000};
  auto text = std::format("{}.{:012}", sum.picos / unit, sum.picos % unit);
  text.resize(text.find_last_not_of('0') + 1);
  if (text.back() == '.')
    text.pop_back();
  return text;
}

std::optional<std::int64_t> parse_millionths(std::string_view text) {
  const auto point = text.find('.');
  const auto units = parse_digits(text.substr(0, point));
  auto fraction =
      std::string{point == text.npos ? std::string_view{"0"} : text.substr(point + 1)};
  if (!units || *units >= most_units || fraction.size() > decimals)
    return std::nullopt;
  const auto there = parse_digits(fraction);
  if (!there)
    return std::nullopt;
  fraction.resize(decimals, '0');
  return *units * most_units + *parse_digits(fraction);
}

} // namespace jessica
