// Walks a graph towards a query and keeps the nearest rows that pass a filter.
#pragma once

#include "index/link_graph.hpp"
#include "index/piece_facts.hpp"
#include "index/piece_rows.hpp"
#include "index/vector_code.hpp"

#include <cstddef>
#include <cstdint>

namespace jessica::index {

/// How far a walk goes.
struct walk_limits {
  std::size_t keep;      ///< rows that pass; the walk ends when no link leads to better
  std::size_t distances; ///< it gives up when it had to compute so many
};

enum class walk_end : std::uint8_t {
  nothing_better, ///< no link leads to a better row
  no_more_links,  ///< what was reached may be a corner that nothing leads out of
  gave_up
};

/// One walk; the rows it found are in `scratch.best`, in no order.
class graph_walk {
public:
  graph_walk(const piece_rows& rows, const link_graph& graph, const coded_query& query,
             const piece_filter& filter, graph_scratch& scratch);

  [[nodiscard]] walk_end run(const walk_limits& limits);
  /// Vectors that were read.
  [[nodiscard]] std::size_t distances() const noexcept { return distances_; }

private:
  [[nodiscard]] float score(std::int32_t row);
  [[nodiscard]] graph_scratch::seen descend();
  void expand(std::int32_t row, std::size_t keep);
  void see(graph_scratch::seen one, std::size_t keep);
  [[nodiscard]] bool passes(std::int32_t row) const noexcept;

  const piece_rows& rows_;
  const link_graph& graph_;
  const coded_query& query_;
  const piece_filter& filter_;
  graph_scratch& scratch_;
  std::size_t distances_ = 0;
};

} // namespace jessica::index
