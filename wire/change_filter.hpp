// Which changes a client asks for: the `filter` of a postgres_changes binding.
#pragma once

#include "domain/error.hpp"
#include "wire/change.hpp"

#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace jessica::wire {

class change_condition;

/// "column=op.value,column=not.op.value": all must hold. Operators: eq neq lt lte gt
/// gte in like ilike is match imatch isdistinct, each with `not.` before it. Copies
/// share what was read.
class change_filter {
public:
  /// Every change.
  change_filter() = default;

  /// Reads and checks it against the table's columns: the column exists, the operator
  /// fits its type, the value can be one of it. Empty text: every change. Fails:
  /// invalid_input with what the client shall read; also for more than 32 conditions,
  /// 100 values of `in`, a regular expression over 256 bytes, and regular expressions
  /// of more than 128 states together.
  [[nodiscard]] static result<change_filter>
  parse(std::string_view text, std::span<const change_column> columns);

  /// Numbers compare as numbers, timestamps as moments, booleans as booleans, the rest
  /// by bytes. A field that is unknown never matches; null as in SQL. Nor does a field
  /// match a regular expression, or its negation, when it is over 4 kB.
  [[nodiscard]] bool matches(std::span<const change_cell> row) const;

private:
  std::shared_ptr<const std::vector<change_condition>> conditions_; ///< null: none
};

} // namespace jessica::wire
