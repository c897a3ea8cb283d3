// E-mail addresses as accounts take them.
#pragma once

#include "domain/error.hpp"

#include <cstddef>
#include <string>

namespace jessica::wire {

inline constexpr auto max_email_bytes = std::size_t{255};

/// The address in lower case. Fails: invalid_input, reason `validation_failed`.
[[nodiscard]] result<std::string> read_email(std::string text);

[[nodiscard]] std::string lower_case(std::string text);

} // namespace jessica::wire
