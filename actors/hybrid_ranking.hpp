// What the vectors found and what the words found become one ranking.
#pragma once

#include "domain/memory.hpp"
#include "storage/memory_search.hpp"

#include <span>
#include <vector>

namespace jessica::actors {

/// Best first, each message once; `score` is (cosine + 0.3 * match) / 1.3: at most 1,
/// and without words the order of the vectors. A message that only the words found has
/// the piece 0 and the cosine `unseen`, which is no less than that of any message that
/// the vectors left out.
[[nodiscard]] std::vector<memory_hit>
rank_hybrid(std::span<const memory_hit> by_vector,
            std::span<const storage::worded_memory> by_words, float unseen);

} // namespace jessica::actors
