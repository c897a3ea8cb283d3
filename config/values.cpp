#include "config/values.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

namespace jessica::config {
namespace {

struct unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr auto size_units = std::array{
    unit{"", 1},
    unit{"B", 1},
    unit{"KiB", std::uint64_t{1} << 10U},
    unit{"MiB", std::uint64_t{1} << 20U},
    unit{"GiB", std::uint64_t{1} << 30U},
};

/// In milliseconds; a bare number means seconds.
constexpr auto duration_units = std::array{
    unit{"", 1000},    unit{"ms", 1},        unit{"s", 1000},
    unit{"m", 60'000}, unit{"h", 3'600'000},
};

/// A number with one of the units; nullopt for anything else, overflow included.
template <std::size_t N>
std::optional<std::uint64_t> number_with_unit(std::string_view text,
                                              const std::array<unit, N>& units) {
  auto number = std::uint64_t{0};
  const auto* const end = text.data() + text.size();
  const auto [rest, failed] = std::from_chars(text.data(), end, number);
  if (failed != std::errc{})
    return std::nullopt;
  const auto name = std::string_view{rest, end};
  const auto* const found = std::ranges::find(units, name, &unit::name);
  if (found == units.end() ||
      number > std::numeric_limits<std::int64_t>::max() / found->factor)
    return std::nullopt;
  return number * found->factor;
}

/// `scheme://user:password@host?password=...`: up to the last '@', because a password
/// may hold one that was not escaped.
std::string mask_url(std::string_view url) {
  const auto authority = url.find("://") + 3;
  const auto at = url.rfind('@');
  const auto colon = url.find(':', authority);
  auto masked = std::string{};
  if (at != url.npos && at > authority && colon < at) {
    masked = std::string{url.substr(0, colon + 1)} + "***";
    url.remove_prefix(at);
  }
  for (auto key = url.find("password="); key != url.npos; key = url.find("password=")) {
    const auto value = url.find('=', key) + 1;
    masked += std::string{url.substr(0, value)} + "***";
    const auto next = url.find('&', value);
    url.remove_prefix(next == url.npos ? url.size() : next);
  }
  return masked.append(url);
}

/// One `key = 'value'` of a keyword string, taken from its front.
struct keyword_value {
  std::string_view key;
  std::string_view value; ///< with its quotes
};

std::optional<keyword_value> take_keyword(std::string_view& text) {
  constexpr auto blanks = std::string_view{" \t\n\r"};
  const auto trim = [&] {
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  };
  trim();
  const auto key = text.substr(0, text.find_first_of(" \t\n\r="));
  text.remove_prefix(key.size());
  trim();
  if (key.empty() || !text.starts_with('='))
    return std::nullopt;
  text.remove_prefix(1);
  trim();
  const auto quoted = text.starts_with('\'');
  auto end = std::size_t{quoted ? 1U : 0U};
  for (; end < text.size(); ++end) {
    if (text[end] == '\\')
      ++end;
    else if (quoted ? text[end] == '\'' : blanks.contains(text[end]))
      break;
  }
  if (quoted && end >= text.size())
    return std::nullopt;
  const auto value = text.substr(0, quoted ? end + 1 : end);
  text.remove_prefix(value.size());
  trim();
  return keyword_value{key, value};
}

std::string mask_keywords(std::string_view text) {
  auto masked = std::string{};
  while (!text.empty()) {
    const auto next = take_keyword(text);
    if (!next)
      return "***"; // not understood: show nothing
    const auto secret = next->key.contains("password");
    masked += masked.empty() ? "" : " ";
    masked += next->key;
    masked += '=';
    masked += secret ? "***" : next->value;
  }
  return masked;
}

} // namespace

result<std::uint64_t> parse_count(std::string_view text) {
  const auto number = number_with_unit(text, std::array{unit{"", 1}});
  if (!number)
    return fail(errc::invalid_input, "is not a whole number");
  return *number;
}

result<std::uint64_t> parse_size(std::string_view text) {
  const auto bytes = number_with_unit(text, size_units);
  if (!bytes)
    return fail(errc::invalid_input, "is not a size (write 1048576, 64KiB or 1MiB)");
  return *bytes;
}

result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const auto time = number_with_unit(text, duration_units);
  if (!time)
    return fail(errc::invalid_input, "is not a duration (write 10, 10s, 500ms or 2m)");
  return std::chrono::milliseconds{static_cast<std::int64_t>(*time)};
}

result<bool> parse_switch(std::string_view text) {
  constexpr auto on = std::array<std::string_view, 4>{"true", "yes", "on", "1"};
  constexpr auto off = std::array<std::string_view, 4>{"false", "no", "off", "0"};
  if (std::ranges::contains(on, text))
    return true;
  if (std::ranges::contains(off, text))
    return false;
  return fail(errc::invalid_input, "is neither true nor false");
}

std::string size_text(std::uint64_t bytes) {
  if (bytes == 0)
    return "0";
  for (auto i = size_units.size() - 1; i >= 2; --i)
    if (bytes % size_units[i].factor == 0)
      return std::to_string(bytes / size_units[i].factor).append(size_units[i].name);
  return std::to_string(bytes);
}

std::string duration_text(std::chrono::milliseconds time) {
  if (time.count() % 1000 == 0)
    return std::to_string(time.count() / 1000) + "s";
  return std::to_string(time.count()) + "ms";
}

std::string mask_passwords(std::string_view conninfo) {
  return conninfo.contains("://") ? mask_url(conninfo) : mask_keywords(conninfo);
}

std::size_t edit_distance(std::string_view from, std::string_view to) {
  // One row of the classic table: row[j] is the distance from the part of `from` read
  // so far to the first j letters of `to`.
  auto row = std::vector<std::size_t>(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (auto i = std::size_t{0}; i < from.size(); ++i) {
    auto diagonal = std::exchange(row[0], i + 1);
    for (auto j = std::size_t{0}; j < to.size(); ++j) {
      const auto changed = diagonal + (from[i] == to[j] ? 0U : 1U);
      diagonal =
          std::exchange(row[j + 1], std::min({changed, row[j] + 1, row[j + 1] + 1}));
    }
  }
  return row.back();
}

} // namespace jessica::config
