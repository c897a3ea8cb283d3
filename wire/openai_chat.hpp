// The body of /v1/chat/completions.
#pragma once

#include "domain/chat.hpp"
#include "wire/openai_problem.hpp"

#include <expected>
#include <string_view>

namespace jessica::wire {

struct completion_request {
  prompt asked; ///< `recalls`: the caller's memories are wanted
  bool streamed = false;
  bool with_usage = false; ///< the stream's last chunk says what was used
};

/// Strict about what it takes, silent about fields it has no use for. Of the extra
/// field `memory` the default is false. Roles: developer counts as system; what stands
/// before the first other message becomes the prompt's system text.
[[nodiscard]] std::expected<completion_request, openai_refusal>
read_completion(std::string_view json);

} // namespace jessica::wire
