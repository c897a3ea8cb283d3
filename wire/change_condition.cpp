#include "wire/change_condition.hpp"

#include <algorithm>
#include <array>
#include <compare>
#include <utility>

namespace jessica::wire {
namespace {

constexpr auto most_list_values = std::size_t{100};

/// Types with SQL's LIKE and regular expressions.
[[nodiscard]] bool is_text_type(std::string_view type) noexcept {
  static constexpr auto texts =
      std::array<std::string_view, 5>{"text", "varchar", "bpchar", "name", "citext"};
  return std::ranges::contains(texts, type);
}

[[nodiscard]] bool is_null(const change_cell& cell) noexcept {
  return cell.what == change_cell::kind::null;
}

} // namespace

bool is_change_operator(std::string_view name) noexcept {
  static constexpr auto operators = std::array<std::string_view, 13>{
      "eq",   "neq",   "lt", "lte",   "gt",     "gte",       "in",
      "like", "ilike", "is", "match", "imatch", "isdistinct"};
  return std::ranges::contains(operators, name);
}

change_condition::change_condition(std::size_t index, bool negated, test what)
    : index_{index}, negated_{negated}, test_{std::move(what)} {}

result<change_condition> change_condition::check(const written_condition& what,
                                                 std::size_t index,
                                                 const change_column& column,
                                                 std::size_t& regex_states) {
  return check_test(what, column, regex_states).transform([&](test checked) {
    return change_condition{index, what.negated, std::move(checked)};
  });
}

result<change_condition::test>
change_condition::check_test(const written_condition& what, const change_column& column,
                             std::size_t& regex_states) {
  using op = comparison::kind;
  static constexpr auto comparisons =
      std::array<std::pair<std::string_view, op>, 6>{{{"eq", op::eq},
                                                      {"neq", op::neq},
                                                      {"lt", op::lt},
                                                      {"lte", op::lte},
                                                      {"gt", op::gt},
                                                      {"gte", op::gte}}};
  if (what.op == "in")
    return check_list(what, column);
  if (what.op == "is")
    return check_truth(what, column);
  if (what.op.ends_with("like") || what.op.ends_with("match"))
    return check_pattern(what, column, regex_states);
  auto value = comparand::read(column.type, what.value);
  if (!value)
    return std::unexpected{std::move(value.error())};
  const auto* found = std::ranges::find(comparisons, std::string_view{what.op},
                                        [](auto& row) { return row.first; });
  if (found != comparisons.end())
    return comparison{found->second, std::move(*value)};
  return distinctness{std::move(*value)};
}

result<change_condition::test>
change_condition::check_pattern(const written_condition& what,
                                const change_column& column,
                                std::size_t& regex_states) {
  if (!is_text_type(column.type))
    return fail(errc::invalid_input,
                "operator " + what.op +
                    " requires a text-compatible column type, got " +
                    std::string{sql_name(column.type)});
  const auto any_case = what.op.starts_with('i') || column.type == "citext";
  const auto letters = any_case ? letter_case::ignored : letter_case::heeded;
  if (what.op.ends_with("like"))
    return like_pattern::read(what.value, letters).transform([](like_pattern pattern) {
      return test{std::move(pattern)};
    });
  auto pattern = regex_pattern::read(what.value, letters, regex_states);
  if (!pattern)
    return fail(errc::invalid_input, "invalid regular expression for " + what.op +
                                         " filter: " + pattern.error().what);
  regex_states -= pattern->states();
  return std::move(*pattern);
}

result<change_condition::test>
change_condition::check_list(const written_condition& what,
                             const change_column& column) {
  if (what.list.size() > most_list_values)
    return fail(errc::invalid_input, "too many values for `in` filter. Maximum 100");
  auto members = membership{{}, false};
  for (const auto& item : what.list) {
    if (!item) {
      members.has_null = true;
      continue;
    }
    auto value = comparand::read(column.type, *item);
    if (!value)
      return std::unexpected{std::move(value.error())};
    members.values.push_back(std::move(*value));
  }
  return members;
}

result<change_condition::test>
change_condition::check_truth(const written_condition& what,
                              const change_column& column) {
  static constexpr auto truths =
      std::array<std::pair<std::string_view, truth>, 4>{{{"null", truth::null},
                                                         {"true", truth::yes},
                                                         {"false", truth::no},
                                                         {"unknown", truth::unknown}}};
  const auto* found = std::ranges::find(truths, std::string_view{what.value},
                                        [](auto& row) { return row.first; });
  if (found == truths.end())
    return fail(errc::invalid_input, "invalid value for is filter: must be null, true, "
                                     "false, or unknown");
  if (found->second != truth::null && column.type != "bool")
    return fail(errc::invalid_input, "is " + what.value +
                                         " filter requires a boolean column, got " +
                                         std::string{sql_name(column.type)});
  return found->second;
}

std::optional<bool> change_condition::holds(const change_cell& cell) const {
  if (cell.what == change_cell::kind::unknown)
    return std::nullopt;
  const auto answer =
      std::visit([&](const auto& what) { return ask(what, cell); }, test_);
  return negated_ ? answer.transform([](bool yes) { return !yes; }) : answer;
}

std::optional<bool> change_condition::ask(const comparison& what,
                                          const change_cell& cell) {
  const auto order = is_null(cell) ? std::nullopt : what.value.order(cell.text);
  if (!order)
    return std::nullopt;
  switch (what.op) {
  case comparison::kind::eq:
    return std::is_eq(*order);
  case comparison::kind::neq:
    return std::is_neq(*order);
  case comparison::kind::lt:
    return std::is_lt(*order);
  case comparison::kind::lte:
    return std::is_lteq(*order);
  case comparison::kind::gt:
    return std::is_gt(*order);
  case comparison::kind::gte:
    return std::is_gteq(*order);
  }
  return std::nullopt;
}

std::optional<bool> change_condition::ask(const membership& what,
                                          const change_cell& cell) {
  if (what.values.empty() && !what.has_null)
    return false;
  if (is_null(cell))
    return std::nullopt;
  for (const auto& value : what.values) {
    const auto order = value.order(cell.text);
    if (!order)
      return std::nullopt;
    if (std::is_eq(*order))
      return true;
  }
  return what.has_null ? std::nullopt : std::optional{false};
}

std::optional<bool> change_condition::ask(truth what, const change_cell& cell) {
  switch (what) {
  case truth::null:
  case truth::unknown:
    return is_null(cell);
  case truth::yes:
    return !is_null(cell) && cell.text == "t";
  case truth::no:
    return !is_null(cell) && cell.text == "f";
  }
  return std::nullopt;
}

std::optional<bool> change_condition::ask(const distinctness& what,
                                          const change_cell& cell) {
  if (is_null(cell))
    return true;
  return what.from.order(cell.text).transform(
      [](std::weak_ordering order) { return std::is_neq(order); });
}

std::optional<bool> change_condition::ask(const like_pattern& what,
                                          const change_cell& cell) {
  return is_null(cell) ? std::nullopt : what.matches(cell.text);
}

std::optional<bool> change_condition::ask(const regex_pattern& what,
                                          const change_cell& cell) {
  return is_null(cell) ? std::nullopt : what.matches(cell.text);
}

} // namespace jessica::wire
