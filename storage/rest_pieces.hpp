// The parts a REST statement is put together from. Private to this room and its tests.
#pragma once

#include "domain/rest.hpp"
#include "storage/rest_context.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace jessica::storage {

/// The select that wraps the rows: body, count, total, settings of the response.
struct answer_parts {
  std::string rows;                   ///< a query
  std::string total = "null::bigint"; ///< an expression
  std::vector<std::string> key;       ///< columns to be told, of one row
  bool scalar = false;                ///< the rows are one column, `value`
};
[[nodiscard]] std::string answer_sql(const rest_request& what,
                                     const answer_parts& parts);

/// insert, update or delete with its RETURNING, for a WITH.
[[nodiscard]] std::string write_sql(rest_context& to, const rest_request& what,
                                    const schema_table& table,
                                    const std::vector<std::string>& returned);

/// The function that the arguments fit. Fails: not_found PGRST202, invalid_input
/// PGRST203.
struct found_function {
  const schema_function* function = nullptr;
  bool whole_body = false; ///< it takes the body as its one unnamed argument
};
[[nodiscard]] result<found_function> find_function(const rest_schema& schema,
                                                   const rest_request& what);

/// " from ..." a call, whose rows go by `alias`.
[[nodiscard]] std::string call_sql(rest_context& to, const rest_request& what,
                                   const found_function& found,
                                   const std::string& alias);

} // namespace jessica::storage
