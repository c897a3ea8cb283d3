#include "wire/rest_grammar.hpp"

#include "wire/rest_scanner.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace jessica::wire {
namespace {

/// Splits at `separator` where it stands outside quotes and parentheses.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text,
                                                  char separator) {
  auto parts = std::vector<std::string_view>{};
  auto start = std::size_t{0};
  auto depth = 0;
  auto quoted = false;
  for (auto i = std::size_t{0}; i < text.size(); ++i) {
    const auto c = text[i];
    if (quoted && c == '\\')
      ++i;
    else if (c == '"')
      quoted = !quoted;
    else if (!quoted && c == '(')
      ++depth;
    else if (!quoted && c == ')')
      --depth;
    else if (!quoted && depth == 0 && c == separator) {
      parts.push_back(text.substr(start, i - start));
      start = i + 1;
    }
  }
  parts.push_back(text.substr(start));
  return parts;
}

/// Where a parenthesis opens outside quotes.
[[nodiscard]] std::size_t find_call(std::string_view text) {
  auto quoted = false;
  for (auto i = std::size_t{0}; i < text.size(); ++i) {
    if (quoted && text[i] == '\\')
      ++i;
    else if (text[i] == '"')
      quoted = !quoted;
    else if (!quoted && text[i] == '(')
      return i;
  }
  return std::string_view::npos;
}

[[nodiscard]] bool is_aggregate(std::string_view call) {
  static constexpr auto names =
      std::array<std::string_view, 5>{".count", ".sum", ".avg", ".min", ".max"};
  return call == "count" ||
         std::ranges::any_of(names, [&](auto name) { return call.ends_with(name); });
}

/// `head(...)`: an aggregate or an embedded relation, both refused by name.
[[nodiscard]] std::unexpected<error> refuse_call(std::string_view table,
                                                 std::string_view head) {
  if (head.starts_with("..."))
    head.remove_prefix(3);
  if (const auto colon = head.find(':'); colon != std::string_view::npos)
    head.remove_prefix(colon + 1);
  head = trimmed(head.substr(0, head.find('!')));
  if (is_aggregate(head))
    return fail(errc::invalid_input, "Use of aggregate functions is not allowed",
                "PGRST123");
  return fail(errc::invalid_input,
              "Could not find a relationship between '" + std::string{table} +
                  "' and '" + std::string{head} + "' in the schema cache",
              "PGRST200");
}

[[nodiscard]] bool is_type_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return is_letter_or_digit(c) || c == '_';
  });
}

[[nodiscard]] result<column_choice> read_choice(std::string_view table,
                                                std::string_view item) {
  if (item == "*")
    return column_choice{"*", {}, {}};
  if (const auto call = find_call(item); call != std::string_view::npos)
    return refuse_call(table, item.substr(0, call));
  auto rest = item;
  auto choice = column_choice{};
  auto name = take_name(rest);
  if (name && rest.starts_with(':') && !rest.starts_with("::")) {
    choice.alias = std::move(*name);
    rest.remove_prefix(1);
    name = take_name(rest);
  }
  if (!name)
    return cannot_parse("select parameter", item);
  choice.column = std::move(*name);
  if (rest.starts_with("->"))
    return unsupported("JSON paths are");
  if (rest.starts_with("::")) {
    choice.cast = trimmed(rest.substr(2));
    rest = {};
    if (!is_type_name(choice.cast))
      return cannot_parse("select parameter", item);
  }
  if (!rest.empty())
    return cannot_parse("select parameter", item);
  return choice;
}

[[nodiscard]] result<column_order> read_order_term(std::string_view item) {
  auto rest = item;
  auto column = take_column(rest, "order");
  if (!column)
    return std::unexpected{std::move(column.error())};
  auto term = column_order{std::move(*column), false, std::nullopt};
  if (rest == ".asc" || rest.starts_with(".asc."))
    rest.remove_prefix(4);
  else if (rest == ".desc" || rest.starts_with(".desc.")) {
    rest.remove_prefix(5);
    term.descending = true;
  }
  if (rest == ".nullsfirst")
    term.nulls_first = true;
  else if (rest == ".nullslast")
    term.nulls_first = false;
  else if (!rest.empty())
    return cannot_parse("order", item);
  return term;
}

} // namespace

result<std::vector<column_choice>> read_select(std::string_view table,
                                               std::string_view text) {
  auto choices = std::vector<column_choice>{};
  if (trimmed(text).empty())
    return choices;
  for (const auto item : split(text, ',')) {
    auto choice = read_choice(table, trimmed(item));
    if (!choice)
      return std::unexpected{std::move(choice.error())};
    choices.push_back(std::move(*choice));
  }
  if (choices.size() == 1 && choices.front().column == "*")
    choices.clear();
  return choices;
}

result<std::vector<column_order>> read_order(std::string_view text) {
  auto terms = std::vector<column_order>{};
  if (trimmed(text).empty())
    return terms;
  for (const auto item : split(text, ',')) {
    auto term = read_order_term(trimmed(item));
    if (!term)
      return std::unexpected{std::move(term.error())};
    terms.push_back(std::move(*term));
  }
  return terms;
}

} // namespace jessica::wire
