// The small languages inside a REST URL: select lists, filters and orders. Every
// failure is invalid_input with PostgREST's code as reason.
#pragma once

#include "domain/error.hpp"
#include "domain/query.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace jessica::wire {

/// `select=`: columns with alias and cast. Empty, or a lone `*`: all columns (an empty
/// list); a `*` among others stays as the column named "*". `table` is for messages.
[[nodiscard]] result<std::vector<column_choice>> read_select(std::string_view table,
                                                             std::string_view text);

/// One filter parameter: `key` names the column, `value` is `[not.]operator.operand`.
[[nodiscard]] result<column_filter> read_filter(std::string_view key,
                                                std::string_view value);

/// `order=`: columns with direction and place of nulls.
[[nodiscard]] result<std::vector<column_order>> read_order(std::string_view text);

} // namespace jessica::wire
