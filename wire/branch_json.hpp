// Bodies of the functions that make or choose branches (docs/branches.md).
#pragma once

#include "domain/branch.hpp"
#include "domain/error.hpp"

#include <cstddef>
#include <string_view>

namespace jessica::wire {

/// {message_id, content, client_id?, params?}; content, client_id and params as
/// read_send takes them. Fails: invalid_input naming the field, too_large.
[[nodiscard]] result<edit_wish> read_edit(std::string_view json, std::size_t max_bytes);

/// {reply_id, params?}. Fails: invalid_input naming the field, too_large.
[[nodiscard]] result<regenerate_wish> read_regenerate(std::string_view json);
[[nodiscard]] result<continue_wish> read_continue(std::string_view json);

/// {message_id}. Fails: invalid_input naming the field.
[[nodiscard]] result<select_wish> read_choice(std::string_view json);

} // namespace jessica::wire
