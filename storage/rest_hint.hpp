// What a client probably meant by a name that is not there: the hints of REST's errors,
// worded as PostgREST and PostgreSQL word them. Empty: nothing is near.
#pragma once

#include "storage/rest_schema.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace jessica::storage {

/// The edits (a byte put in, left out or changed) between two names; `most` + 1 when
/// there are more. Takes time proportional to the names' lengths times `most`.
[[nodiscard]] std::size_t edits_between(std::string_view a, std::string_view b,
                                        std::size_t most);

/// The column, or two that are equally near.
[[nodiscard]] std::string column_hint(const schema_table& table, std::string_view name);

[[nodiscard]] std::string table_hint(const rest_schema& schema, std::string_view name);

/// A relation of `from` that is nearly called `name`.
[[nodiscard]] std::string relation_hint(const rest_schema& schema,
                                        std::string_view from, std::string_view name);

/// The function's own arguments when they are not the `given`; else one nearly called
/// `name`.
[[nodiscard]] std::string function_hint(const rest_schema& schema,
                                        std::string_view name,
                                        const std::vector<std::string>& given);

} // namespace jessica::storage
