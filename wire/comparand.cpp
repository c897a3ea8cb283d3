#include "wire/comparand.hpp"

#include "domain/utf8.hpp"
#include "wire/pg_moment.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <limits>
#include <system_error>
#include <type_traits>
#include <utility>

namespace jessica::wire {
namespace {

constexpr auto shown_value_bytes = std::size_t{128}; // of a bad value, in the error

[[nodiscard]] std::string_view trimmed(std::string_view text) noexcept {
  constexpr auto spaces = std::string_view{" \t\n\r\f\v"};
  const auto first = text.find_first_not_of(spaces);
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(spaces) - first + 1);
}

[[nodiscard]] std::string_view unpadded(std::string_view text) noexcept {
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

[[nodiscard]] std::string lower(std::string_view text) {
  auto lowered = std::string{text};
  for (auto& c : lowered)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lowered;
}

[[nodiscard]] std::string shown(std::string_view text) {
  return "\"" + std::string{cut_utf8(text, shown_value_bytes)} + "\"";
}

[[nodiscard]] std::unexpected<error> bad_syntax(std::string_view type,
                                                std::string_view text) {
  return fail(errc::invalid_input, "invalid input syntax for type " +
                                       std::string{sql_name(type)} + ": " +
                                       shown(text));
}

[[nodiscard]] std::unexpected<error> out_of_range(std::string_view type,
                                                  std::string_view text) {
  return fail(errc::invalid_input, "value " + shown(text) +
                                       " is out of range for type " +
                                       std::string{sql_name(type)});
}

struct integer_range {
  std::string_view type;
  std::int64_t least;
  std::int64_t most;
};

template <class Integer>
[[nodiscard]] constexpr integer_range range_of(std::string_view type) {
  return {type, std::numeric_limits<Integer>::min(),
          std::numeric_limits<Integer>::max()};
}

constexpr auto integer_ranges = std::array<integer_range, 4>{{
    range_of<std::int16_t>("int2"),
    range_of<std::int32_t>("int4"),
    range_of<std::int64_t>("int8"),
    range_of<std::uint32_t>("oid"),
}};

[[nodiscard]] bool is_signed_digits(std::string_view text) noexcept {
  if (text.starts_with('-') || text.starts_with('+'))
    text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

[[nodiscard]] std::string_view without_plus(std::string_view text) noexcept {
  return text.size() > 1 && text[0] == '+' && text[1] != '-' ? text.substr(1) : text;
}

template <class Number>
[[nodiscard]] std::optional<Number> read_number(std::string_view text) {
  text = without_plus(text);
  auto number = Number{};
  const auto* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  return read.ec == std::errc{} && read.ptr == end ? std::optional{number}
                                                   : std::nullopt;
}

/// from_chars knows words that PostgreSQL does not: "nan(1)".
template <class Float>
[[nodiscard]] std::optional<double> read_float(std::string_view text) {
  if (text.contains('('))
    return std::nullopt;
  return read_number<Float>(text);
}

/// "t" or "f", as rows have it, of what PostgreSQL takes for a boolean.
[[nodiscard]] std::optional<std::string> read_truth(std::string_view text) {
  const auto word = lower(trimmed(text));
  const auto begins = [&](std::string_view whole) {
    return !word.empty() && whole.starts_with(word);
  };
  if (begins("true") || begins("yes") || word == "on" || word == "1")
    return "t";
  if (begins("false") || begins("no") || word == "of" || word == "off" || word == "0")
    return "f";
  return std::nullopt;
}

/// A uuid as rows have it: lower case, hyphens after 8, 4, 4, 4 digits.
[[nodiscard]] std::optional<std::string> read_uuid(std::string_view text) {
  if (text.starts_with('{') && text.ends_with('}'))
    text = text.substr(1, text.size() - 2);
  auto uuid = std::string{};
  auto digits = 0;
  auto hyphen = true; // where one would not stand
  for (const auto c : text) {
    if (c == '-' && !hyphen && digits % 4 == 0) {
      hyphen = true;
      continue;
    }
    if (std::isxdigit(static_cast<unsigned char>(c)) == 0 || digits == 32)
      return std::nullopt;
    if (digits == 8 || digits == 12 || digits == 16 || digits == 20)
      uuid += '-';
    uuid += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    ++digits;
    hyphen = false;
  }
  return digits == 32 && !hyphen ? std::optional{uuid} : std::nullopt;
}

[[nodiscard]] std::optional<std::int64_t> read_date(std::string_view text) {
  using std::chrono::microseconds;
  constexpr auto day = microseconds{std::chrono::days{1}}.count();
  const auto moment = read_moment(text, moment_zone::ignored);
  if (!moment || *moment == std::numeric_limits<std::int64_t>::max() ||
      *moment == std::numeric_limits<std::int64_t>::min())
    return moment;
  return *moment - ((*moment % day) + day) % day;
}

} // namespace

std::string_view sql_name(std::string_view type) noexcept {
  static constexpr auto names =
      std::array<std::pair<std::string_view, std::string_view>, 12>{{
          {"int2", "smallint"},
          {"int4", "integer"},
          {"int8", "bigint"},
          {"float4", "real"},
          {"float8", "double precision"},
          {"bool", "boolean"},
          {"varchar", "character varying"},
          {"bpchar", "character"},
          {"timestamp", "timestamp without time zone"},
          {"timestamptz", "timestamp with time zone"},
          {"time", "time without time zone"},
          {"timetz", "time with time zone"},
      }};
  const auto* found =
      std::ranges::find(names, type, [](auto& row) { return row.first; });
  return found == names.end() ? type : found->second;
}

comparand::comparand(kind what, value of) : kind_{what}, value_{std::move(of)} {}

comparand::kind comparand::kind_of(std::string_view type) noexcept {
  static constexpr auto kinds = std::array<std::pair<std::string_view, kind>, 7>{{
      {"bpchar", kind::padded},
      {"float4", kind::single_float},
      {"float8", kind::double_float},
      {"numeric", kind::numeric},
      {"timestamptz", kind::zoned_moment},
      {"timestamp", kind::moment},
      {"date", kind::date},
  }};
  if (std::ranges::contains(integer_ranges, type, &integer_range::type))
    return kind::integer;
  const auto* found =
      std::ranges::find(kinds, type, [](auto& row) { return row.first; });
  return found == kinds.end() ? kind::text : found->second;
}

std::optional<comparand::value> comparand::read_field(kind what,
                                                      std::string_view text) {
  const auto as_value = [](auto read) { return value{std::move(read)}; };
  switch (what) {
  case kind::text:
    return std::string{text};
  case kind::padded:
    return std::string{unpadded(text)};
  case kind::integer:
    return read_number<std::int64_t>(text).transform(as_value);
  case kind::single_float:
    return read_float<float>(text).transform(as_value);
  case kind::double_float:
    return read_float<double>(text).transform(as_value);
  case kind::numeric:
    return decimal::read(text).transform(as_value);
  case kind::zoned_moment:
    return read_moment(text, moment_zone::heeded).transform(as_value);
  case kind::moment:
    return read_moment(text, moment_zone::ignored).transform(as_value);
  case kind::date:
    return read_date(text).transform(as_value);
  }
  return std::nullopt;
}

result<comparand> comparand::read(std::string_view type, std::string_view text) {
  if (type == "bool" || type == "uuid") {
    auto word = type == "bool" ? read_truth(text) : read_uuid(text);
    if (!word)
      return bad_syntax(type, text);
    return comparand{kind::text, std::move(*word)};
  }
  const auto what = kind_of(type);
  const auto is_text = what == kind::text || what == kind::padded;
  const auto plain = is_text ? text : trimmed(text);
  auto read = read_field(what, plain);
  if (what == kind::integer) {
    const auto* range = std::ranges::find(integer_ranges, type, &integer_range::type);
    const auto* number = read ? std::get_if<std::int64_t>(&*read) : nullptr;
    const auto fits =
        number != nullptr && *number >= range->least && *number <= range->most;
    if (!fits && is_signed_digits(plain))
      return out_of_range(type, text);
  }
  if (!read)
    return bad_syntax(type, text);
  return comparand{what, std::move(*read)};
}

std::optional<std::weak_ordering> comparand::order(std::string_view field) const {
  if (kind_ == kind::text || kind_ == kind::padded) {
    const auto plain = kind_ == kind::padded ? unpadded(field) : field;
    return plain <=> std::string_view{std::get<std::string>(value_)};
  }
  const auto read = read_field(kind_, field);
  if (!read)
    return std::nullopt;
  return std::visit(
      [](const auto& left, const auto& right) -> std::optional<std::weak_ordering> {
        if constexpr (!std::is_same_v<decltype(left), decltype(right)>)
          return std::nullopt;
        else if constexpr (std::is_same_v<decltype(left), const double&>) {
          if (std::isnan(left) || std::isnan(right))
            return std::isnan(left) <=> std::isnan(right);
          return std::weak_order(left + 0.0, right + 0.0);
        } else
          return left <=> right;
      },
      *read, value_);
}

} // namespace jessica::wire
