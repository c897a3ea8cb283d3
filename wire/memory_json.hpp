// A search of memories as clients write it, and what they read.
#pragma once

#include "domain/error.hpp"
#include "domain/memory_search.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace jessica::wire {

/// Body of search-memory and payload of memory.search: {query or embedding, k?,
/// filter?: {conversation_id?, exclude_conversation_id?, role?, since?, before?},
/// hybrid?, min_score?, after_lsn?, user_id?}. Fails: invalid_input naming the field.
struct memory_request {
  memory_question what;
  std::optional<user_id> user; ///< for whom the service role asks
};
[[nodiscard]] result<memory_request> read_memory_search(std::string_view json,
                                                        std::size_t max_k);

/// [{message_id, score, content, created_at, conversation_id, role, excerpt}], and
/// `truncated` where the content is longer than what is told: where all contents
/// together are over `most_bytes`, the excerpt stands for the content.
[[nodiscard]] std::string memories_json(std::span<const found_memory> found,
                                        std::size_t most_bytes);

} // namespace jessica::wire
