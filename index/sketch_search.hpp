// Searches rows by their sketches first, and reads the vectors of the few that may
// belong to the best.
#pragma once

#include "index/piece_search.hpp"

#include <vector>

namespace jessica::index {

/// The inner products with all rows are estimated; the rows that seem best are read;
/// then every other whose estimate leaves a fair chance that it is better than the
/// worst of these. How many that are follows from the vectors: where many are about as
/// near, many are read.
[[nodiscard]] std::vector<memory_hit> search_sketches(const piece_rows& rows,
                                                      const piece_question& question,
                                                      graph_scratch& scratch);

} // namespace jessica::index
