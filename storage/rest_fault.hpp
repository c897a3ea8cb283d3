// Errors of the REST dialect, as PostgREST words them.
#pragma once

#include "domain/error.hpp"

#include <string>
#include <string_view>

namespace jessica::storage {

/// A failure with PostgREST's (or PostgreSQL's) code, told to the client as it is.
[[nodiscard]] std::unexpected<error> rest_fault(errc code, std::string sqlstate,
                                                std::string message,
                                                std::string details = {},
                                                std::string hint = {});

/// `text` as a JSON string; it is UTF-8.
[[nodiscard]] std::string json_text(std::string_view text);

} // namespace jessica::storage
