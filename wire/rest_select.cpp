#include "wire/rest_grammar.hpp"
#include "wire/rest_scanner.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace jessica::wire {
namespace {

[[nodiscard]] std::unexpected<error> no_select(std::string_view text) {
  return cannot_parse("select parameter", text);
}

void skip_spaces(std::string_view& rest) {
  while (rest.starts_with(' '))
    rest.remove_prefix(1);
}

[[nodiscard]] std::unexpected<error> no_aggregates() {
  return fail(errc::invalid_input, "Use of aggregate functions is not allowed",
              "PGRST123");
}

/// `.sum()` and its kin behind a column.
[[nodiscard]] bool is_aggregate(std::string_view rest) {
  static constexpr auto names = std::array<std::string_view, 5>{
      ".count()", ".sum()", ".avg()", ".min()", ".max()"};
  return std::ranges::any_of(names, [&](auto name) { return rest.starts_with(name); });
}

/// Takes a cast's type off the front.
[[nodiscard]] std::optional<std::string> take_type(std::string_view& rest) {
  auto end = std::size_t{0};
  while (end < rest.size() && (is_letter_or_digit(rest[end]) || rest[end] == '_'))
    ++end;
  auto type = std::string{rest.substr(0, end)};
  rest.remove_prefix(end);
  return type.empty() ? std::nullopt : std::optional{std::move(type)};
}

/// Reads a list up to its end, or to the parenthesis that closes it.
class select_reader {
public:
  explicit select_reader(std::string_view text) : rest_{text} {}

  [[nodiscard]] result<selection> read_all() {
    const auto whole = rest_;
    auto made = read_list(0);
    if (made && !rest_.empty())
      return no_select(whole);
    return made;
  }

private:
  [[nodiscard]] result<selection> read_list(std::size_t depth) {
    if (depth > max_query_depth)
      return fail(errc::invalid_input, "the select parameter nests too deep",
                  "PGRST100");
    auto made = selection{};
    for (;;) {
      skip_spaces(rest_);
      if (auto read = read_item(made, depth); !read)
        return std::unexpected{std::move(read.error())};
      skip_spaces(rest_);
      if (!take(rest_, ","))
        return made;
    }
  }

  [[nodiscard]] result<void> read_item(selection& into, std::size_t depth) {
    const auto whole = rest_;
    if (take(rest_, "..."))
      return read_spread(into, depth);
    if (take(rest_, "*")) {
      into.columns.push_back({{"*", {}}, {}, {}});
      return {};
    }
    auto alias = std::string{};
    auto name = take_name(rest_);
    if (name && rest_.starts_with(':') && !rest_.starts_with("::")) {
      rest_.remove_prefix(1);
      skip_spaces(rest_);
      alias = std::move(*name);
      name = take_name(rest_);
    }
    if (!name)
      return no_select(whole);
    if (*name == "count" && rest_.starts_with("()"))
      return no_aggregates();
    if (rest_.starts_with('!') || rest_.starts_with('('))
      return read_embedding(into, {std::move(*name), std::move(alias), {}, {}, {}, {}},
                            depth);
    return read_column(into, std::move(*name), std::move(alias));
  }

  [[nodiscard]] result<void> read_column(selection& into, std::string name,
                                         std::string alias) {
    const auto whole = rest_;
    auto choice = column_choice{{std::move(name), {}}, std::move(alias), {}};
    if (!take_steps(rest_, choice.what.steps))
      return no_select(whole);
    if (is_aggregate(rest_))
      return no_aggregates();
    if (take(rest_, "::")) {
      skip_spaces(rest_);
      auto type = take_type(rest_);
      if (!type)
        return no_select(whole);
      choice.cast = std::move(*type);
    }
    into.columns.push_back(std::move(choice));
    return {};
  }

  [[nodiscard]] result<void> read_spread(selection& into, std::size_t depth) {
    const auto whole = rest_;
    auto name = take_name(rest_);
    if (!name || !(rest_.starts_with('!') || rest_.starts_with('(')))
      return no_select(whole);
    return read_embedding(into, {std::move(*name), {}, {}, false, true, {}}, depth);
  }

  /// Behind the relation's name: `!hint!inner(a,b)`.
  [[nodiscard]] result<void> read_embedding(selection& into, embedding made,
                                            std::size_t depth) {
    const auto whole = rest_;
    while (take(rest_, "!")) {
      auto word = take_name(rest_);
      if (!word)
        return no_select(whole);
      if (*word == "inner")
        made.inner = true;
      else if (*word != "left")
        made.hint = std::move(*word);
    }
    if (!take(rest_, "("))
      return no_select(whole);
    skip_spaces(rest_);
    if (!rest_.starts_with(')')) {
      auto inside = read_list(depth + 1);
      if (!inside)
        return std::unexpected{std::move(inside.error())};
      made.of = std::move(*inside);
    }
    if (!take(rest_, ")"))
      return no_select(whole);
    into.embedded.push_back(std::move(made));
    return {};
  }

  std::string_view rest_;
};

[[nodiscard]] result<column_order> take_order_term(std::string_view& rest) {
  const auto whole = rest;
  auto term = column_order{};
  skip_spaces(rest);
  auto column = take_column(rest);
  if (column && column->steps.empty() && take(rest, "(")) {
    term.relation = std::move(column->column);
    column = take_column(rest);
    if (!take(rest, ")"))
      return cannot_parse("order", whole);
  }
  if (!column)
    return cannot_parse("order", whole);
  term.what = std::move(*column);
  if (take(rest, ".desc"))
    term.descending = true;
  else
    (void)take(rest, ".asc");
  if (take(rest, ".nullsfirst"))
    term.nulls_first = true;
  else if (take(rest, ".nullslast"))
    term.nulls_first = false;
  skip_spaces(rest);
  if (!rest.empty() && !rest.starts_with(','))
    return cannot_parse("order", whole);
  return term;
}

} // namespace

result<selection> read_select(std::string_view text) {
  if (trimmed(text).empty())
    return selection{{{{"*", {}}, {}, {}}}, {}, {}, {}, {}, 0};
  return select_reader{text}.read_all();
}

result<std::vector<column_order>> read_order(std::string_view text) {
  auto terms = std::vector<column_order>{};
  if (trimmed(text).empty())
    return terms;
  do {
    auto term = take_order_term(text);
    if (!term)
      return std::unexpected{std::move(term.error())};
    terms.push_back(std::move(*term));
  } while (take(text, ","));
  return terms;
}

result<std::vector<std::string>> read_names(std::string_view text) {
  auto names = std::vector<std::string>{};
  const auto whole = text;
  if (trimmed(text).empty())
    return names;
  do {
    skip_spaces(text);
    auto name = take_name(text);
    skip_spaces(text);
    if (!name || (!text.empty() && !text.starts_with(',')))
      return cannot_parse("columns parameter", whole);
    names.push_back(std::move(*name));
  } while (take(text, ","));
  return names;
}

} // namespace jessica::wire
