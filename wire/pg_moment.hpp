// Dates and timestamps as PostgreSQL reads and prints them in ISO form.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace jessica::wire {

enum class moment_zone : std::uint8_t {
  heeded, ///< timestamptz; UTC where none is given
  ignored ///< timestamp and date
};

/// Microseconds since 1970 of "2026-11-22", "2026-11-22T10:00:00.5Z", "2026-11-22
/// 10:00+05:30", "0044-03-15 10:00:00 BC"; the ends of the range for the infinities.
/// Nothing for what is no such text, no such day, or beyond the year 290000.
[[nodiscard]] std::optional<std::int64_t> read_moment(std::string_view text,
                                                      moment_zone zone);

} // namespace jessica::wire
