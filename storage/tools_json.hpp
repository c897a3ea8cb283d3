// The tools that a reply called, as its row keeps them.
#pragma once

#include "domain/chat.hpp"

#include <span>
#include <string>

namespace jessica::storage {

/// [{id, name, arguments, result, failed, took_ms}] for a jsonb column, in order. Texts
/// must be UTF-8. Arguments and results are cut so that all of them together are at
/// most 128 KiB, and each at most 4 KiB.
[[nodiscard]] std::string tools_json(std::span<const tool_outcome> tools);

} // namespace jessica::storage
