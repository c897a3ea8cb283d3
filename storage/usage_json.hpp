// Usage as the messages' column has it.
#pragma once

#include "domain/chat.hpp"

#include <string>
#include <string_view>

namespace jessica::storage {

/// {"prompt_tokens","completion_tokens","estimated"} and, where known, "cost" (a
/// number, exact), "finish_reason" and "model".
[[nodiscard]] std::string usage_json(const usage& used, std::string_view model,
                                     std::string_view finish_reason);

} // namespace jessica::storage
