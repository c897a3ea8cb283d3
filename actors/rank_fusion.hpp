// Two rankings of messages become one, by reciprocal rank.
#pragma once

#include "domain/memory.hpp"

#include <span>
#include <vector>

namespace jessica::actors {

/// Best first; `score` is 1 for what is first in both, and falls with the ranks. A
/// message that only the words found has the piece 0.
[[nodiscard]] std::vector<memory_hit> fuse_ranks(std::span<const memory_hit> by_vector,
                                                 std::span<const message_id> by_words);

} // namespace jessica::actors
