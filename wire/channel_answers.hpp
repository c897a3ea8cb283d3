// What a channel tells a client about itself: the join's response, system messages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace jessica::wire {

/// {"postgres_changes":[...]}: each binding as the client sent it, plus an id, because
/// the client compares them one by one (docs/realtime.md).
[[nodiscard]] std::string join_response(const std::vector<std::string>& bindings);

/// Payload of the event `system`.
[[nodiscard]] std::string system_message(std::string_view extension, bool ok,
                                         std::string_view message,
                                         std::string_view channel);

} // namespace jessica::wire
