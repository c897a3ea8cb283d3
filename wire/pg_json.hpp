// PostgreSQL's text form of a value -> JSON.
#pragma once

#include <string>
#include <string_view>

namespace jessica::wire {

/// Appends `text`, a value of the type named `type` (pg_type.typname), as to_jsonb
/// would print it: numbers bare, NaN and infinities as strings, booleans, json and
/// jsonb verbatim, arrays as JSON arrays, timestamps with T and a whole offset, the
/// rest as strings. Infinite and BC timestamps stay as they are; text that is no value
/// of its type becomes a string, never broken JSON (json and jsonb are trusted).
void append_json_value(std::string& to, std::string_view type, std::string_view text);

} // namespace jessica::wire
