// The small languages inside a REST URL: select lists, filters, logic trees and orders.
// Every failure is invalid_input with PostgREST's code as reason.
#pragma once

#include "domain/error.hpp"
#include "domain/query.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace jessica::wire {

/// `select=`: columns with JSON path, alias and cast, and embedded relations; the rest
/// of the selection is empty. An empty text is all columns.
[[nodiscard]] result<selection> read_select(std::string_view text);

/// A filter's value, `[not.]operator.operand`, of `what`.
[[nodiscard]] result<column_filter> read_filter(column_path what,
                                                std::string_view value);

/// The value of `or=` and `and=`: a list in parentheses.
[[nodiscard]] result<condition> read_tree(condition::kind is, bool negated,
                                          std::string_view value);

/// Does the value begin like a filter's? What does not is an argument of a function.
[[nodiscard]] bool looks_like_filter(std::string_view value);

/// `order=`: columns with direction and place of nulls.
[[nodiscard]] result<std::vector<column_order>> read_order(std::string_view text);

/// `columns=`, `on_conflict=`: names between commas.
[[nodiscard]] result<std::vector<std::string>> read_names(std::string_view text);

} // namespace jessica::wire
