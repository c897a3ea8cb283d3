// Names and quotes of the REST dialect, and how its errors read: what select lists,
// filters and orders share. Private to the readers of wire/rest_grammar.hpp.
#pragma once

#include "domain/error.hpp"

#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace jessica::wire {

/// invalid_input, PGRST100: `text` is no such thing.
[[nodiscard]] std::unexpected<error> cannot_parse(std::string_view what,
                                                  std::string_view text);
/// invalid_input, PGRST100: the dialect has it, we do not. `what` ends with a verb.
[[nodiscard]] std::unexpected<error> unsupported(std::string what);
/// invalid_input, PGRST108.
[[nodiscard]] std::unexpected<error> not_embedded(std::string_view relation);

/// Without spaces at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);
[[nodiscard]] bool is_letter_or_digit(char c);

/// Takes a "quoted" text off the front; a backslash makes the next byte plain. Nothing
/// when the quote does not close.
[[nodiscard]] std::optional<std::string> take_quoted(std::string_view& rest);

/// Takes a column's name off the front: quoted or bare, never empty.
[[nodiscard]] std::optional<std::string> take_name(std::string_view& rest);

/// The column that a `what` ("filter", "order") starts with; says why when it starts
/// with something else.
[[nodiscard]] result<std::string> take_column(std::string_view& rest,
                                              std::string_view what);

} // namespace jessica::wire
