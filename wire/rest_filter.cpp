#include "wire/rest_grammar.hpp"
#include "wire/rest_scanner.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>

namespace jessica::wire {
namespace {

struct known_operator {
  std::string_view name;
  comparison op;
  bool quantified = false; ///< may be followed by (any) or (all)
};

constexpr auto operators = std::to_array<known_operator>({
    {"eq", comparison::eq, true},
    {"neq", comparison::neq},
    {"gt", comparison::gt, true},
    {"gte", comparison::gte, true},
    {"lt", comparison::lt, true},
    {"lte", comparison::lte, true},
    {"like", comparison::like, true},
    {"ilike", comparison::ilike, true},
    {"match", comparison::match, true},
    {"imatch", comparison::imatch, true},
    {"in", comparison::in},
    {"is", comparison::is},
    {"isdistinct", comparison::isdistinct},
    {"cs", comparison::cs},
    {"cd", comparison::cd},
    {"ov", comparison::ov},
    {"sl", comparison::sl},
    {"sr", comparison::sr},
    {"nxr", comparison::nxr},
    {"nxl", comparison::nxl},
    {"adj", comparison::adj},
    {"fts", comparison::fts},
    {"plfts", comparison::plfts},
    {"phfts", comparison::phfts},
    {"wfts", comparison::wfts},
});

[[nodiscard]] bool is_search(comparison op) {
  return op == comparison::fts || op == comparison::plfts || op == comparison::phfts ||
         op == comparison::wfts;
}

[[nodiscard]] std::unexpected<error> no_filter(std::string_view text) {
  return cannot_parse("filter", text);
}

[[nodiscard]] std::unexpected<error> no_operator(std::string_view text) {
  auto made = no_filter(text).error();
  const auto found = text.empty() ? std::string{"end of input"}
                                  : '"' + std::string{text.substr(0, 1)} + '"';
  return refused(made.reason, made.what,
                 "unexpected " + found + " expecting \"not\" or operator (eq, gt, ...)",
                 {});
}

[[nodiscard]] std::string lower(std::string_view text) {
  auto lowered = std::string{text};
  for (auto& c : lowered)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lowered;
}

/// Takes an element whose inner quotes nobody escaped, as the client sends them, off
/// the front: it ends at the first quote that a comma or the list's end follows.
[[nodiscard]] std::optional<std::string> take_unescaped(std::string_view& rest) {
  for (auto i = std::size_t{1}; i < rest.size(); ++i)
    if (rest[i] == '"' && (i + 1 == rest.size() || rest[i + 1] == ',')) {
      auto text = std::string{rest.substr(1, i - 1)};
      rest.remove_prefix(i + 1);
      return text;
    }
  return std::nullopt;
}

/// The elements of `(a,"b,c",d"e)`. A quote that does not end its element is text.
[[nodiscard]] result<std::vector<std::string>> read_list(std::string_view text) {
  if (text.size() < 2 || text.front() != '(' || text.back() != ')')
    return no_filter("in." + std::string{text});
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
      auto item = std::optional{std::string{bare}};
      if (bare.contains(')'))
        item = rest.starts_with('"') ? take_unescaped(rest) : std::nullopt;
      else
        rest.remove_prefix(bare.size());
      if (!item)
        return no_filter("in." + std::string{text});
      items.push_back(std::move(*item));
    }
    if (rest.empty())
      return items;
    rest.remove_prefix(1); // the comma
  }
}

/// Takes `eq`, `eq(any)`, `fts(english)` and the dot behind it off the front.
[[nodiscard]] bool take_operator(std::string_view& rest, column_filter& into) {
  const auto end = std::min(rest.find_first_of(".("), rest.size());
  const auto* known =
      std::ranges::find(operators, rest.substr(0, end), &known_operator::name);
  if (known == operators.end())
    return false;
  into.op = known->op;
  rest.remove_prefix(end);
  if (take(rest, "(")) {
    const auto close = rest.find(')');
    if (close == std::string_view::npos)
      return false;
    const auto word = rest.substr(0, close);
    rest.remove_prefix(close + 1);
    if (is_search(known->op) && !word.empty())
      into.config = word;
    else if (known->quantified && (word == "any" || word == "all"))
      into.over = word == "any" ? quantifier::any : quantifier::all;
    else
      return false;
  }
  return take(rest, ".");
}

/// The values to bind for an operand.
[[nodiscard]] result<void> set_values(column_filter& into, std::string operand) {
  static constexpr auto truths =
      std::array<std::string_view, 5>{"null", "not_null", "true", "false", "unknown"};
  if (into.op == comparison::in) {
    auto items = read_list(operand);
    if (!items)
      return std::unexpected{std::move(items.error())};
    into.values = std::move(*items);
    return {};
  }
  if (into.op == comparison::is) {
    auto truth = lower(operand);
    if (!std::ranges::contains(truths, truth))
      return no_filter("is." + operand);
    operand = std::move(truth);
  }
  if (into.op == comparison::like || into.op == comparison::ilike)
    std::ranges::replace(operand, '*', '%');
  into.values = {std::move(operand)};
  return {};
}

/// Where the list that begins here ends, behind its parenthesis.
[[nodiscard]] std::size_t end_of_list(std::string_view text) {
  auto element = true; // an element begins here: only there a quote quotes
  for (auto i = std::size_t{1}; i < text.size(); ++i) {
    if (text[i] == ')')
      return i + 1;
    if (element && text[i] == '"') {
      auto after = text.substr(i);
      if (take_quoted(after) && (after.starts_with(',') || after.starts_with(')')))
        i = text.size() - after.size() - 1;
    }
    element = text[i] == ',';
  }
  return text.size();
}

/// Takes an operand inside a tree off the front: it ends at a comma or a parenthesis.
[[nodiscard]] std::optional<std::string> take_operand(std::string_view& rest,
                                                      comparison op) {
  if (op == comparison::in) {
    const auto end = end_of_list(rest);
    auto list = std::string{rest.substr(0, end)};
    rest.remove_prefix(end);
    return list;
  }
  if (rest.starts_with('"')) {
    auto after = rest;
    auto text = take_quoted(after);
    if (text && (after.starts_with(',') || after.starts_with(')'))) {
      rest = after;
      return text;
    }
  }
  if (rest.starts_with('{')) {
    const auto close = rest.find('}');
    if (close == std::string_view::npos)
      return std::nullopt;
    auto text = std::string{rest.substr(0, close + 1)};
    rest.remove_prefix(close + 1);
    return text;
  }
  const auto end = std::min(rest.find_first_of(",)"), rest.size());
  auto text = std::string{rest.substr(0, end)};
  rest.remove_prefix(end);
  return text;
}

[[nodiscard]] result<condition> take_tree(std::string_view& rest, condition::kind is,
                                          bool negated, std::size_t depth);

/// `and(`, `or(`, `not.and(`, `not.or(` off the front.
struct tree_head {
  condition::kind is = condition::kind::all;
  bool negated = false;
};
[[nodiscard]] std::optional<tree_head> take_tree_head(std::string_view& rest) {
  auto after = rest;
  const auto negated = take(after, "not.");
  const auto all = after.starts_with("and(");
  if (!all && !after.starts_with("or("))
    return std::nullopt;
  after.remove_prefix(all ? 3 : 2);
  rest = after;
  return tree_head{all ? condition::kind::all : condition::kind::any, negated};
}

[[nodiscard]] result<condition> take_leaf(std::string_view& rest) {
  const auto whole = rest;
  auto column = take_column(rest);
  if (!column || !take(rest, "."))
    return cannot_parse("logic tree", whole);
  auto leaf = condition{};
  leaf.filter.what = std::move(*column);
  leaf.filter.negated = take(rest, "not.");
  if (!take_operator(rest, leaf.filter))
    return cannot_parse("logic tree", whole);
  auto operand = take_operand(rest, leaf.filter.op);
  if (!operand)
    return cannot_parse("logic tree", whole);
  if (auto set = set_values(leaf.filter, std::move(*operand)); !set)
    return std::unexpected{std::move(set.error())};
  return leaf;
}

/// Takes `(a.eq.1,or(...))` off the front.
result<condition> take_tree(std::string_view& rest, condition::kind is, bool negated,
                            std::size_t depth) {
  const auto whole = rest;
  if (depth > max_query_depth || !take(rest, "("))
    return cannot_parse("logic tree", whole);
  auto tree = condition{};
  tree.is = is;
  tree.negated = negated;
  do {
    while (take(rest, " "))
      ;
    const auto head = take_tree_head(rest);
    auto part =
        head ? take_tree(rest, head->is, head->negated, depth + 1) : take_leaf(rest);
    if (!part)
      return part;
    tree.parts.push_back(std::move(*part));
  } while (take(rest, ","));
  if (!take(rest, ")"))
    return cannot_parse("logic tree", whole);
  return tree;
}

} // namespace

result<column_filter> read_filter(column_path what, std::string_view value) {
  auto filter = column_filter{};
  filter.what = std::move(what);
  auto rest = value;
  filter.negated = take(rest, "not.");
  if (!take_operator(rest, filter))
    return no_operator(value);
  if (auto set = set_values(filter, std::string{rest}); !set)
    return std::unexpected{std::move(set.error())};
  return filter;
}

result<condition> read_tree(condition::kind is, bool negated, std::string_view value) {
  auto rest = value;
  auto tree = take_tree(rest, is, negated, 0);
  if (!tree || !trimmed(rest).empty())
    return cannot_parse("logic tree", value); // whole: a part would not be recognised
  return tree;
}

bool looks_like_filter(std::string_view value) {
  auto ignored = column_filter{};
  (void)take(value, "not.");
  return take_operator(value, ignored);
}

} // namespace jessica::wire
