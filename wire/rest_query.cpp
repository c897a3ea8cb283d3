#include "wire/rest_query.hpp"

#include "domain/utf8.hpp"
#include "wire/rest_grammar.hpp"
#include "wire/rest_scanner.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

namespace jessica::wire {
namespace {

[[nodiscard]] int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

/// Text PostgreSQL can store: UTF-8 without a zero byte.
[[nodiscard]] bool is_storable(std::string_view text) noexcept {
  while (!text.empty()) {
    const auto next = first_code_point(text);
    if (!next.valid || next.value == 0)
      return false;
    text.remove_prefix(next.size);
  }
  return true;
}

[[nodiscard]] result<std::string> decode_part(std::string_view part) {
  auto decoded = std::string{};
  decoded.reserve(part.size());
  for (auto i = std::size_t{0}; i < part.size(); ++i) {
    if (part[i] != '%') {
      decoded += part[i] == '+' ? ' ' : part[i];
      continue;
    }
    const auto high = i + 1 < part.size() ? hex_value(part[i + 1]) : -1;
    const auto low = i + 2 < part.size() ? hex_value(part[i + 2]) : -1;
    if (high < 0 || low < 0)
      return fail(errc::invalid_input, "broken percent escape in the query");
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  if (!is_storable(decoded))
    return fail(errc::invalid_input, "the query is not UTF-8 text");
  return decoded;
}

/// Nothing for what is no number; numbers beyond 64 bits count as the largest.
[[nodiscard]] std::optional<std::int64_t> read_integer(std::string_view text) {
  auto value = std::int64_t{0};
  const auto* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (read.ptr != end || read.ec == std::errc::invalid_argument)
    return std::nullopt;
  if (read.ec == std::errc::result_out_of_range)
    return text.starts_with('-') ? std::numeric_limits<std::int64_t>::min()
                                 : std::numeric_limits<std::int64_t>::max();
  return value;
}

[[nodiscard]] std::unexpected<error> no_range(std::string why) {
  return refused("PGRST103", "Requested range not satisfiable", std::move(why), {});
}

/// Not a number: as if it were absent.
[[nodiscard]] result<std::optional<std::int64_t>> read_limit(std::string_view text) {
  const auto value = read_integer(text);
  if (value && *value < 0)
    return no_range("Limit should be greater than or equal to zero.");
  return value;
}

/// Not a number, or below zero: as if it were absent.
[[nodiscard]] result<std::int64_t> read_offset(std::string_view text) {
  return std::max(std::int64_t{0}, read_integer(text).value_or(0));
}

/// A parameter's name: relations, dots between them, and what is asked of the last.
struct parameter_name {
  std::vector<std::string> relations;
  std::string word; ///< order, limit, offset, and, or; empty: a filter
  bool negated = false;
  column_path column;
};

[[nodiscard]] bool is_word(std::string_view text) {
  static constexpr auto words =
      std::array<std::string_view, 5>{"order", "limit", "offset", "and", "or"};
  return std::ranges::contains(words, text);
}

[[nodiscard]] result<parameter_name> read_name(std::string_view key) {
  auto made = parameter_name{};
  auto rest = key;
  for (;;) {
    const auto bare = !rest.starts_with('"');
    auto column = take_column(rest);
    if (!column)
      return cannot_parse("filter", key);
    if (rest.empty()) {
      if (bare && column->steps.empty() && is_word(column->column))
        made.word = std::move(column->column);
      made.column = std::move(*column);
      break;
    }
    if (!column->steps.empty() || !take(rest, "."))
      return cannot_parse("filter", key);
    made.relations.push_back(std::move(column->column));
  }
  const auto tree = made.word == "and" || made.word == "or";
  if (tree && !made.relations.empty() && made.relations.back() == "not") {
    made.negated = true;
    made.relations.pop_back();
  }
  return made;
}

/// The embedding that goes by `name`; failing that, by its relation's own name.
[[nodiscard]] embedding* find_embedded(selection& in, std::string_view name) {
  auto found = std::ranges::find(in.embedded, name, &embedding::name);
  if (found == in.embedded.end())
    found = std::ranges::find(in.embedded, name, &embedding::relation);
  return found == in.embedded.end() ? nullptr : &*found;
}

/// The selection that a parameter is about.
[[nodiscard]] result<selection*> find_selection(selection& root,
                                                const parameter_name& name) {
  auto* at = &root;
  for (const auto& relation : name.relations) {
    auto* found = find_embedded(*at, relation);
    if (found == nullptr)
      return not_embedded(relation);
    at = &found->of;
  }
  return at;
}

template <class T> [[nodiscard]] result<void> into(result<T> read, auto& target) {
  if (!read)
    return std::unexpected{std::move(read.error())};
  target = std::move(*read);
  return {};
}

[[nodiscard]] result<void> add_filter(selection& to, parameter_name name,
                                      std::string_view value) {
  auto made = condition{};
  auto read = result<void>{};
  if (name.word.empty())
    read = into(read_filter(std::move(name.column), value), made.filter);
  else
    read =
        into(read_tree(name.word == "and" ? condition::kind::all : condition::kind::any,
                       name.negated, value),
             made);
  if (read)
    to.conditions.push_back(std::move(made));
  return read;
}

/// Puts one parameter where it belongs.
[[nodiscard]] result<void> add_parameter(selection& root, std::string_view key,
                                         std::string_view value) {
  auto name = read_name(key);
  if (!name)
    return std::unexpected{std::move(name.error())};
  auto found = find_selection(root, *name);
  if (!found)
    return std::unexpected{std::move(found.error())};
  auto& to = **found;
  if (name->word == "order")
    return into(read_order(value), to.order);
  if (name->word == "limit")
    return into(read_limit(value), to.limit);
  if (name->word == "offset")
    return into(read_offset(value), to.offset);
  return add_filter(to, std::move(*name), value);
}

} // namespace

result<query_parameters> decode_query(std::string_view query) {
  auto parameters = query_parameters{};
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty())
      continue;
    const auto equals = std::min(pair.find('='), pair.size());
    auto key = decode_part(pair.substr(0, equals));
    if (!key)
      return std::unexpected{std::move(key.error())};
    auto value = decode_part(pair.substr(std::min(equals + 1, pair.size())));
    if (!value)
      return std::unexpected{std::move(value.error())};
    parameters.emplace_back(std::move(*key), std::move(*value));
  }
  return parameters;
}

result<rest_query> read_query(const query_parameters& parameters, bool call) {
  auto made = rest_query{};
  const auto selected = std::ranges::find(parameters, "select",
                                          [](const auto& pair) { return pair.first; });
  auto what =
      read_select(selected == parameters.end() ? std::string_view{} : selected->second);
  if (!what)
    return std::unexpected{std::move(what.error())};
  made.what = std::move(*what);
  for (const auto& [key, value] : parameters) {
    auto read = result<void>{};
    if (key == "select")
      continue;
    if (key == "columns")
      read = into(read_names(value), made.columns.emplace());
    else if (key == "on_conflict")
      read = into(read_names(value), made.on_conflict);
    else if (call && !is_word(key) && key != "not.and" && key != "not.or" &&
             !looks_like_filter(value))
      made.arguments.emplace_back(key, value);
    else
      read = add_parameter(made.what, key, value);
    if (!read)
      return std::unexpected{std::move(read.error())};
  }
  return made;
}

result<void> narrow(selection& what, std::string_view range) {
  if (const auto unit = range.find('='); unit != std::string_view::npos)
    range.remove_prefix(unit + 1);
  const auto dash = range.find('-');
  if (dash == std::string_view::npos)
    return {};
  const auto first = read_integer(trimmed(range.substr(0, dash)));
  const auto end = trimmed(range.substr(dash + 1));
  const auto last = read_integer(end);
  if (!first || *first < 0 || (!last && !end.empty()))
    return {};
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  if (last && *last < *first)
    return no_range("The lower boundary must be lower than or equal to the upper "
                    "boundary in the Range header.");
  // Both windows as rows from..to, to not included.
  const auto until = [](std::int64_t from, std::int64_t count) {
    return count > most - from ? most : from + count;
  };
  const auto here = what.limit ? until(what.offset, *what.limit) : most;
  const auto there = last && *last < most ? *last + 1 : most;
  const auto from = std::max(what.offset, *first);
  what.offset = from;
  if (const auto to = std::min(here, there); to < most)
    what.limit = std::max(std::int64_t{0}, to - from);
  return {};
}

std::string content_range(std::int64_t offset, std::int64_t rows,
                          std::optional<std::int64_t> total) {
  auto range = std::string{"*"};
  if (rows > 0)
    range = std::to_string(offset) + "-" + std::to_string(offset + (rows - 1));
  return range + "/" + (total ? std::to_string(*total) : "*");
}

} // namespace jessica::wire
