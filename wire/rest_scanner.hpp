// Names, quotes and JSON paths of the REST dialect, and how its errors read: what
// select lists, filters and orders share. Private to the readers of
// wire/rest_grammar.hpp.
#pragma once

#include "domain/error.hpp"
#include "domain/query.hpp"

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::wire {

/// How deep embeddings and logic trees may nest.
inline constexpr auto max_query_depth = std::size_t{24};

/// invalid_input, PGRST100: `text` is no such thing.
[[nodiscard]] std::unexpected<error> cannot_parse(std::string_view what,
                                                  std::string_view text);
/// invalid_input with PostgREST's code, and what else its body says.
[[nodiscard]] std::unexpected<error> refused(std::string code, std::string message,
                                             std::string details, std::string hint);
/// invalid_input, PGRST108.
[[nodiscard]] std::unexpected<error> not_embedded(std::string_view relation);

/// Without spaces at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);
[[nodiscard]] bool is_letter_or_digit(char c);

/// Takes `what` off the front.
[[nodiscard]] bool take(std::string_view& rest, std::string_view what);

/// Takes a "quoted" text off the front; a backslash makes the next byte plain. Nothing
/// when the quote does not close.
[[nodiscard]] std::optional<std::string> take_quoted(std::string_view& rest);

/// Takes a column's name off the front: quoted or bare, never empty.
[[nodiscard]] std::optional<std::string> take_name(std::string_view& rest);

/// Takes the `->key` and `->>key` behind a name off the front. False: one is broken.
[[nodiscard]] bool take_steps(std::string_view& rest, std::vector<json_step>& into);

/// Takes a column and its path off the front.
[[nodiscard]] std::optional<column_path> take_column(std::string_view& rest);

} // namespace jessica::wire
