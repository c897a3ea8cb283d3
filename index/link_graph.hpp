// A graph (HNSW) over rows of vectors: FAISS links it, we search it, as a filter has to
// be part of the search.
#pragma once

#include "index/chunked_rows.hpp"
#include "index/vector_code.hpp"

#include <faiss/impl/AuxIndexStructures.h>
#include <faiss/impl/HNSW.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace jessica::index {

/// Memory that linking and searching need for a moment; one for each index, not for
/// each graph.
struct graph_scratch {
  faiss::VisitedTable visited{0};
  std::vector<omp_lock_t> locks; ///< FAISS asks for them; nobody else does
  struct seen {
    float score;
    std::int32_t row;
  };
  std::vector<seen> to_visit;   ///< a heap, the best on top
  std::vector<seen> best;       ///< a heap, the worst on top
  std::vector<float> estimates; ///< of a search by sketches: one for each row

  /// Room for so many rows; nothing is marked as visited.
  void prepare(std::size_t rows);
};

/// Vectors as FAISS is to see them: not its own storage, but ours.
struct graph_rows {
  const vector_code& code;
  const chunked_rows& rows;
};

/// Row after row is linked, in their order.
class link_graph {
public:
  link_graph();
  /// What `levels` and `links` gave, in memory that `owner` keeps. Fails: invalid_input
  /// (they are not of one graph).
  [[nodiscard]] static result<link_graph> opened(std::span<const std::int32_t> levels,
                                                 std::span<const std::int32_t> links,
                                                 std::int32_t entry,
                                                 std::shared_ptr<const void> owner);

  /// Of all links, in memory of its own, with room for some more.
  [[nodiscard]] std::shared_ptr<link_graph> copy() const;

  /// Rows that were linked or skipped.
  [[nodiscard]] std::size_t rows() const noexcept { return hnsw_.levels.size(); }
  /// What is kept for rows to come included.
  [[nodiscard]] std::size_t bytes() const noexcept;
  [[nodiscard]] std::span<const std::int32_t> levels() const noexcept;
  [[nodiscard]] std::span<const std::int32_t> links() const noexcept;
  [[nodiscard]] std::int32_t entry() const noexcept { return hnsw_.entry_point; }

  /// Links row number rows(). Not while somebody else reads: see own_links().
  void link(const graph_rows& vectors, graph_scratch& scratch);
  /// Row number rows() gets no links: no search finds it.
  void skip();

  /// The links of a row on one level; some at the end may be -1.
  [[nodiscard]] std::span<const std::int32_t> links_of(std::int32_t row,
                                                       int level) const noexcept;
  [[nodiscard]] int top_level() const noexcept { return hnsw_.max_level; }

private:
  void own_links();

  faiss::HNSW hnsw_;
  std::shared_ptr<const void> file_; ///< keeps the links that we do not own
};

} // namespace jessica::index
