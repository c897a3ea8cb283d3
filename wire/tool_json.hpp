// What members hear of a reply's tools, and the arguments and results of the tool that
// searches memory.
#pragma once

#include "domain/chat.hpp"
#include "domain/error.hpp"
#include "domain/memory_search.hpp"
#include "wire/reply_events.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace jessica::wire {

/// reply.tool of a call that begins: {id, attempt, call_id, name, status: "running",
/// arguments}. Of the arguments at most 4 KiB.
[[nodiscard]] std::string reply_tool_begun(reply_ref of, const tool_call& call);
/// The same of one that has ended, with `status` done or failed, result and took_ms. Of
/// the result at most 4 KiB.
[[nodiscard]] std::string reply_tool_ended(reply_ref of, const tool_outcome& what);

/// The tool that searches memory, as an engine is told of it.
[[nodiscard]] tool memory_tool();
/// Its arguments: {query, k?}. Fails: invalid_input, with words for the engine.
[[nodiscard]] result<memory_question> read_memory_call(std::string_view arguments);
/// Its result: [{time, role, excerpt}], best first; excerpts are cut at 1 KiB.
[[nodiscard]] std::string memory_result(std::span<const found_memory> found);

} // namespace jessica::wire
