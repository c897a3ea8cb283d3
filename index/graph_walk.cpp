#include "index/graph_walk.hpp"

#include <algorithm>
#include <array>

namespace jessica::index {
namespace {

using seen = graph_scratch::seen;

constexpr auto worse_on_top = [](const seen& a, const seen& b) {
  return a.score > b.score;
};
constexpr auto better_on_top = [](const seen& a, const seen& b) {
  return a.score < b.score;
};

/// The processor fetches the rest of a vector by itself once it saw its beginning.
void fetch_soon(const std::byte* vector) {
  constexpr auto line = std::size_t{64};
  for (auto i = std::size_t{0}; i < 4; ++i)
    __builtin_prefetch(vector + i * line);
}

} // namespace

graph_walk::graph_walk(const piece_rows& rows, const link_graph& graph,
                       const coded_query& query, const piece_filter& filter,
                       graph_scratch& scratch)
    : rows_{rows}, graph_{graph}, query_{query}, filter_{filter}, scratch_{scratch} {}

float graph_walk::score(std::int32_t row) {
  ++distances_;
  return query_(rows_.vector(static_cast<std::size_t>(row)));
}

bool graph_walk::passes(std::int32_t row) const noexcept {
  const auto at = static_cast<std::size_t>(row);
  return !rows_.is_gone(at) && (filter_.open() || filter_.passes(rows_.facts(at)));
}

seen graph_walk::descend() {
  auto nearest = seen{score(graph_.entry()), graph_.entry()};
  for (auto level = graph_.top_level(); level > 0; --level)
    for (auto moved = true; moved;) {
      moved = false;
      for (const auto row : graph_.links_of(nearest.row, level)) {
        if (row < 0)
          break;
        const auto other = seen{score(row), row};
        if (other.score > nearest.score) {
          nearest = other;
          moved = true;
        }
      }
    }
  return nearest;
}

void graph_walk::see(seen one, std::size_t keep) {
  auto& best = scratch_.best;
  if (best.size() == keep && one.score <= best.front().score)
    return;
  scratch_.to_visit.push_back(one);
  std::ranges::push_heap(scratch_.to_visit, better_on_top);
  if (!passes(one.row))
    return;
  if (best.size() == keep) {
    std::ranges::pop_heap(best, worse_on_top);
    best.pop_back();
  }
  best.push_back(one);
  std::ranges::push_heap(best, worse_on_top);
}

void graph_walk::expand(std::int32_t row, std::size_t keep) {
  constexpr auto most = std::size_t{64}; // of links on the lowest level, and more
  auto fresh = std::array<std::int32_t, most>{};
  auto count = std::size_t{0};
  for (const auto other : graph_.links_of(row, 0)) {
    if (other < 0 || count == most)
      break;
    if (scratch_.visited.get(other))
      continue;
    scratch_.visited.set(other);
    fetch_soon(rows_.vector(static_cast<std::size_t>(other)));
    fresh[count++] = other;
  }
  for (auto i = std::size_t{0}; i < count; ++i)
    see({score(fresh[i]), fresh[i]}, keep);
}

walk_end graph_walk::run(const walk_limits& limits) {
  scratch_.prepare(graph_.rows());
  scratch_.to_visit.clear();
  scratch_.best.clear();
  if (graph_.entry() < 0)
    return walk_end::no_more_links;
  if (limits.keep == 0)
    return walk_end::nothing_better;
  const auto start = descend();
  scratch_.visited.set(start.row);
  see(start, limits.keep);
  while (!scratch_.to_visit.empty()) {
    if (distances_ > limits.distances)
      return walk_end::gave_up;
    const auto next = scratch_.to_visit.front();
    if (scratch_.best.size() == limits.keep && next.score < scratch_.best.front().score)
      return walk_end::nothing_better;
    std::ranges::pop_heap(scratch_.to_visit, better_on_top);
    scratch_.to_visit.pop_back();
    expand(next.row, limits.keep);
  }
  return walk_end::no_more_links;
}

} // namespace jessica::index
