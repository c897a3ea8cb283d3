// The Retry-After header.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace jessica::engines {

/// Seconds, also with a fraction, or an HTTP date (RFC 9110, section 10.2.3) seen from
/// `now`; a date that passed is zero. Empty when it is neither. At most a day.
[[nodiscard]] std::optional<std::chrono::milliseconds>
read_retry_after(std::string_view text, std::chrono::system_clock::time_point now);

} // namespace jessica::engines
