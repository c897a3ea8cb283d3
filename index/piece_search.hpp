// Searches the pieces of one user: row by row, or along the graph where that is
// quicker.
#pragma once

#include "index/best_pieces.hpp"
#include "index/link_graph.hpp"
#include "index/piece_facts.hpp"
#include "index/piece_rows.hpp"
#include "index/vector_code.hpp"

#include <cstddef>
#include <vector>

namespace jessica::index {

/// What is searched for.
struct piece_question {
  const coded_query& query;
  const piece_filter& filter;
  std::size_t k;
  float min_score;
  bool always_walk = false; ///< see index_options
};

/// Looks at every row. Exact.
[[nodiscard]] std::vector<memory_hit> search_all(const piece_rows& rows,
                                                 const piece_question& question);

/// Looks at every row, and at its vector only when it may belong to the best: recall@10
/// is well over 0.99, for any filter. Exact where rows are few or short.
[[nodiscard]] std::vector<memory_hit> search_rows(const piece_rows& rows,
                                                  const piece_question& question,
                                                  graph_scratch& scratch);

/// The quicker way to the `k` best that pass. Along the graph the filter decides what
/// is kept, not where the search goes, and it goes on until it has seen enough that
/// pass: recall does not fall with the filter, only the time grows. Where reading
/// everything costs less, all rows are looked at.
[[nodiscard]] std::vector<memory_hit> search_pieces(const piece_rows& rows,
                                                    const piece_question& question,
                                                    graph_scratch& scratch);

} // namespace jessica::index
