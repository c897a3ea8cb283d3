#include "wire/change_filter.hpp"

#include "wire/change_condition.hpp"

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>

namespace jessica::wire {
namespace {

// What a row may cost: a regular expression takes a step for each state and byte.
constexpr auto most_conditions = std::size_t{32};
constexpr auto most_regex_states = std::size_t{128};

[[nodiscard]] std::string_view trimmed(std::string_view text) noexcept {
  constexpr auto spaces = std::string_view{" \t\n\r\f\v"};
  const auto first = text.find_first_not_of(spaces);
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(spaces) - first + 1);
}

[[nodiscard]] std::unexpected<error> cannot_parse(const std::string& why) {
  return fail(errc::invalid_input, "Error parsing `filter` params: " + why);
}

/// The pieces a condition came apart into: ["foo", "hey"].
[[nodiscard]] std::string listed(std::initializer_list<std::string_view> pieces) {
  auto out = std::string{"["};
  for (const auto piece : pieces) {
    out += out.size() > 1 ? ", \"" : "\"";
    for (const auto c : piece) {
      if (c == '"' || c == '\\')
        out += '\\';
      out += c;
    }
    out += '"';
  }
  return out + "]";
}

/// Size of the "quoted" text at the start, both quotes included; nothing when it does
/// not close.
[[nodiscard]] std::optional<std::size_t> quoted_length(std::string_view text) noexcept {
  for (auto i = std::size_t{1}; i < text.size(); ++i) {
    if (text[i] == '"')
      return i + 1;
    if (text[i] == '\\')
      ++i;
  }
  return std::nullopt;
}

/// Of a text with its quotes around it.
[[nodiscard]] std::string unquoted(std::string_view quoted) {
  auto text = std::string{};
  for (auto i = std::size_t{1}; i + 1 < quoted.size(); ++i) {
    if (quoted[i] == '\\')
      ++i;
    text += quoted[i];
  }
  return text;
}

/// Takes text up to the next comma that is neither quoted nor within parentheses.
/// Quotes open only where a value begins.
[[nodiscard]] std::string_view take_condition(std::string_view& rest) {
  auto depth = 0;
  auto before = '\0';
  auto i = std::size_t{0};
  for (; i < rest.size(); before = rest[i++]) {
    const auto c = rest[i];
    const auto value_begins = before == '.' || before == '(' || before == ',';
    if (c == '"' && value_begins)
      i += quoted_length(rest.substr(i)).value_or(rest.size() - i) - 1;
    else if (c == '(')
      ++depth;
    else if (c == ')')
      depth = std::max(depth - 1, 0);
    else if (c == ',' && depth == 0)
      break;
  }
  const auto condition = rest.substr(0, i);
  rest.remove_prefix(i);
  return condition;
}

/// The items of `(a,"b,c",null)`; spaces around an item do not count, a bare null is
/// SQL's. What is between the parentheses is given.
[[nodiscard]] result<std::vector<std::optional<std::string>>>
read_list(std::string_view inside) {
  const auto malformed = [&] {
    return fail(errc::invalid_input,
                "malformed array literal: \"{" + std::string{inside} + "}\"");
  };
  auto items = std::vector<std::optional<std::string>>{};
  auto rest = trimmed(inside);
  if (rest.empty())
    return items;
  for (;;) {
    const auto quoted = rest.starts_with('"') ? quoted_length(rest) : std::nullopt;
    if (rest.starts_with('"') && !quoted)
      return malformed();
    const auto end = std::min(rest.find(',', quoted.value_or(0)), rest.size());
    const auto item = trimmed(rest.substr(0, end));
    if (item.empty() || (quoted && item.size() != *quoted))
      return malformed();
    if (quoted)
      items.emplace_back(unquoted(item));
    else if (item == "null" || item == "NULL")
      items.emplace_back(std::nullopt);
    else
      items.emplace_back(std::string{item});
    if (end == rest.size())
      return items;
    rest = trimmed(rest.substr(end + 1));
  }
}

[[nodiscard]] result<written_condition> read_condition(std::string_view text) {
  text = trimmed(text);
  if (text.empty())
    return cannot_parse(
        "filter must not contain empty segments (check for extra commas)");
  const auto equals = text.find('=');
  if (equals == std::string_view::npos)
    return cannot_parse(listed({text}));
  auto read = written_condition{};
  read.column = text.substr(0, equals);
  auto operation = text.substr(equals + 1);
  read.negated = operation.starts_with("not.");
  if (read.negated)
    operation.remove_prefix(4);
  const auto dot = operation.find('.');
  if (dot == std::string_view::npos)
    return cannot_parse(listed({operation}));
  read.op = operation.substr(0, dot);
  const auto value = operation.substr(dot + 1);
  if (!is_change_operator(read.op))
    return cannot_parse(listed({read.op, value}));
  if (read.op == "in") {
    if (value.size() < 2 || !value.starts_with('(') || !value.ends_with(')'))
      return cannot_parse("`in` filter value must be wrapped by parentheses");
    auto list = read_list(value.substr(1, value.size() - 2));
    if (!list)
      return std::unexpected{std::move(list.error())};
    read.list = std::move(*list);
    return read;
  }
  const auto is_quoted = value.starts_with('"') && quoted_length(value) == value.size();
  read.value = is_quoted ? unquoted(value) : std::string{value};
  return read;
}

} // namespace

result<change_filter> change_filter::parse(std::string_view text,
                                           std::span<const change_column> columns) {
  auto filter = change_filter{};
  auto rest = trimmed(text);
  if (rest.empty())
    return filter;
  auto conditions = std::vector<change_condition>{};
  auto regex_states = most_regex_states;
  for (;;) {
    const auto written = read_condition(take_condition(rest));
    if (!written)
      return std::unexpected{written.error()};
    const auto column =
        std::ranges::find(columns, written->column, &change_column::name);
    if (column == columns.end())
      return fail(errc::invalid_input, "invalid column for filter " + written->column);
    if (conditions.size() == most_conditions)
      return fail(errc::invalid_input, "too many filters. Maximum 32");
    const auto index = static_cast<std::size_t>(column - columns.begin());
    auto checked = change_condition::check(*written, index, *column, regex_states);
    if (!checked)
      return std::unexpected{std::move(checked.error())};
    conditions.push_back(std::move(*checked));
    if (rest.empty())
      break;
    rest.remove_prefix(1); // the comma
  }
  filter.conditions_ =
      std::make_shared<const std::vector<change_condition>>(std::move(conditions));
  return filter;
}

bool change_filter::matches(std::span<const change_cell> row) const {
  return !conditions_ || std::ranges::all_of(*conditions_, [&](auto& condition) {
    return condition.index() < row.size() &&
           condition.holds(row[condition.index()]).value_or(false);
  });
}

} // namespace jessica::wire
