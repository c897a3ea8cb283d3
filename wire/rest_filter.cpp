#include "wire/rest_grammar.hpp"
#include "wire/rest_scanner.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>

namespace jessica::wire {
namespace {

/// The elements of `(a,"b,c",d"e)`. A quote that does not end its element is text.
[[nodiscard]] result<std::vector<std::string>> read_list(std::string_view text) {
  if (text.size() < 2 || text.front() != '(' || text.back() != ')')
    return cannot_parse("filter", "in." + std::string{text});
  auto rest = text.substr(1, text.size() - 2);
  auto items = std::vector<std::string>{};
  if (rest.empty())
    return items;
  for (;;) {
    auto after = rest;
    auto quoted = rest.starts_with('"') ? take_quoted(after) : std::nullopt;
    if (quoted && (after.empty() || after.starts_with(','))) {
      items.push_back(std::move(*quoted));
      rest = after;
    } else {
      const auto bare = rest.substr(0, rest.find(','));
      if (bare.contains(')'))
        return cannot_parse("filter", "in." + std::string{text});
      items.emplace_back(bare);
      rest.remove_prefix(bare.size());
    }
    if (rest.empty())
      return items;
    rest.remove_prefix(1); // the comma
  }
}

[[nodiscard]] std::optional<comparison> find_comparison(std::string_view name) {
  static constexpr auto known =
      std::array<std::pair<std::string_view, comparison>, 10>{{
          {"eq", comparison::eq},
          {"neq", comparison::neq},
          {"gt", comparison::gt},
          {"gte", comparison::gte},
          {"lt", comparison::lt},
          {"lte", comparison::lte},
          {"like", comparison::like},
          {"ilike", comparison::ilike},
          {"in", comparison::in},
          {"is", comparison::is},
      }};
  const auto* found =
      std::ranges::find(known, name, [](auto& row) { return row.first; });
  return found == known.end() ? std::nullopt : std::optional{found->second};
}

/// Operators the dialect has and this server does not; `name` may carry "(any)" etc.
[[nodiscard]] bool is_other_operator(std::string_view name) {
  static constexpr auto others = std::array<std::string_view, 15>{
      "cs",  "cd",   "ov",    "sl",    "sr",    "nxr",    "nxl",       "adj",
      "fts", "wfts", "plfts", "phfts", "match", "imatch", "isdistinct"};
  const auto base = name.substr(0, name.find('('));
  return std::ranges::contains(others, base) ||
         (base.size() != name.size() && find_comparison(base));
}

[[nodiscard]] std::string lower(std::string_view text) {
  auto lowered = std::string{text};
  for (auto& c : lowered)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lowered;
}

/// The operand of a known operator as the values to bind.
[[nodiscard]] result<std::vector<std::string>> read_operand(comparison op,
                                                            std::string_view operand) {
  static constexpr auto truths =
      std::array<std::string_view, 5>{"null", "not_null", "true", "false", "unknown"};
  switch (op) {
  case comparison::in:
    return read_list(operand);
  case comparison::is: {
    auto truth = lower(operand);
    if (!std::ranges::contains(truths, truth))
      return cannot_parse("filter", "is." + std::string{operand});
    return std::vector{std::move(truth)};
  }
  case comparison::like:
  case comparison::ilike: {
    auto pattern = std::string{operand};
    std::ranges::replace(pattern, '*', '%');
    return std::vector{std::move(pattern)};
  }
  default:
    return std::vector{std::string{operand}};
  }
}

} // namespace

result<column_filter> read_filter(std::string_view key, std::string_view value) {
  auto rest = key;
  auto column = take_column(rest, "filter");
  if (!column)
    return std::unexpected{std::move(column.error())};
  if (rest.starts_with('.'))
    return not_embedded(*column);
  if (!rest.empty())
    return cannot_parse("filter", key);
  auto filter = column_filter{std::move(*column), comparison::eq, false, {}};
  auto operation = value;
  if (operation.starts_with("not.")) {
    filter.negated = true;
    operation.remove_prefix(4);
  }
  const auto dot = operation.find('.');
  const auto op = operation.substr(0, dot);
  const auto known = find_comparison(op);
  if (dot == std::string_view::npos || (!known && !is_other_operator(op)))
    return cannot_parse("filter", value);
  if (!known)
    return unsupported("The filter operator \"" + std::string{op} + "\" is");
  filter.op = *known;
  auto values = read_operand(*known, operation.substr(dot + 1));
  if (!values)
    return std::unexpected{std::move(values.error())};
  filter.values = std::move(*values);
  return filter;
}

} // namespace jessica::wire
