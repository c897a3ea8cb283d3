// The `data` of a postgres_changes message.
#pragma once

#include "wire/change.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace jessica::wire {

/// Which columns a subscriber is shown, one flag a column.
using shown_columns = std::vector<bool>;

/// {"schema","table","commit_timestamp","type","columns","record"?,"old_record"?,"errors"}
/// as the unmodified client reads it: commit_timestamp in UTC with milliseconds;
/// columns in order, only those shown, each {"name","type"}; record (insert, update)
/// and old_record (update, delete) as to_jsonb would print the values (numbers bare,
/// NaN and infinities as strings, booleans, json verbatim, arrays as JSON arrays
/// whatever their depth, timestamps with T and offset, everything else as a string);
/// unknown fields are left out. An insert or update of a table without a primary key:
/// only schema, table, type, commit_timestamp, and errors ["Error 400: Bad Request, no
/// primary key"]. When a key column is not shown: only schema, table,
/// type, commit_timestamp, and errors ["Error 401: Unauthorized"]. Past `max_bytes`:
/// values over 64 bytes are left out and errors is ["Error 413: Payload Too Large"].
/// Otherwise errors is null.
[[nodiscard]] std::string change_json(const row_change_view& what,
                                      const shown_columns& shown,
                                      std::size_t max_bytes);

} // namespace jessica::wire
