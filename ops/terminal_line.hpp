// An event as people read it, for a log that goes to a terminal.
#pragma once

#include "ops/log.hpp"

#include <string>
#include <string_view>

namespace jessica::ops {

/// `14:02:11 warn  feed.away cause="no such host"`: one line, no control characters,
/// cut when it is longer than a line of the log may be.
[[nodiscard]] std::string terminal_line(std::string_view timestamp,
                                        std::string_view level, std::string_view event,
                                        fields with);

} // namespace jessica::ops
