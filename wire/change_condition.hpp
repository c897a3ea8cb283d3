// One condition of a change filter: a column, an operator, a value.
#pragma once

#include "domain/error.hpp"
#include "wire/change.hpp"
#include "wire/comparand.hpp"
#include "wire/like_pattern.hpp"
#include "wire/regex_pattern.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace jessica::wire {

/// A condition as it is written, taken apart and not yet held against a table.
struct written_condition {
  std::string column;
  std::string op; ///< one that is_change_operator() knows
  bool negated = false;
  std::string value;                            ///< not of `in`
  std::vector<std::optional<std::string>> list; ///< of `in`; nullopt is null
};

[[nodiscard]] bool is_change_operator(std::string_view name) noexcept;

class change_condition {
public:
  /// `regex_states` is what is left for regular expressions; what this one needs is
  /// taken from it. Fails: invalid_input when the operator does not fit the column's
  /// type, or the value is none of it.
  [[nodiscard]] static result<change_condition> check(const written_condition& what,
                                                      std::size_t index,
                                                      const change_column& column,
                                                      std::size_t& regex_states);

  /// Which field of a row it is about.
  [[nodiscard]] std::size_t index() const noexcept { return index_; }
  /// SQL's answer: nothing is SQL's null, and what could not be told.
  [[nodiscard]] std::optional<bool> holds(const change_cell& cell) const;

private:
  struct comparison {
    enum class kind : std::uint8_t { eq, neq, lt, lte, gt, gte };
    kind op;
    comparand value;
  };
  struct membership {
    std::vector<comparand> values;
    bool has_null;
  };
  enum class truth : std::uint8_t { null, yes, no, unknown };
  struct distinctness {
    comparand from;
  };
  using test = std::variant<comparison, membership, truth, distinctness, like_pattern,
                            regex_pattern>;

  change_condition(std::size_t index, bool negated, test what);
  [[nodiscard]] static result<test> check_test(const written_condition& what,
                                               const change_column& column,
                                               std::size_t& regex_states);
  [[nodiscard]] static result<test> check_pattern(const written_condition& what,
                                                  const change_column& column,
                                                  std::size_t& regex_states);
  [[nodiscard]] static result<test> check_list(const written_condition& what,
                                               const change_column& column);
  [[nodiscard]] static result<test> check_truth(const written_condition& what,
                                                const change_column& column);

  [[nodiscard]] static std::optional<bool> ask(const comparison& what,
                                               const change_cell& cell);
  [[nodiscard]] static std::optional<bool> ask(const membership& what,
                                               const change_cell& cell);
  [[nodiscard]] static std::optional<bool> ask(truth what, const change_cell& cell);
  [[nodiscard]] static std::optional<bool> ask(const distinctness& what,
                                               const change_cell& cell);
  [[nodiscard]] static std::optional<bool> ask(const like_pattern& what,
                                               const change_cell& cell);
  [[nodiscard]] static std::optional<bool> ask(const regex_pattern& what,
                                               const change_cell& cell);

  std::size_t index_;
  bool negated_;
  test test_;
};

} // namespace jessica::wire
