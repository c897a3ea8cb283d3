#include "index/sketch_search.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <span>
#include <utility>

namespace jessica::index {
namespace {

constexpr auto chunk = chunked_rows::chunk_rows;
constexpr auto minus_infinity = -std::numeric_limits<float>::infinity();
/// Rows that are read first, and for each of `k`: some may be of one message.
constexpr auto likely_at_least = std::size_t{24};
constexpr auto likely_for_each = std::size_t{2};

class sketch_search {
public:
  sketch_search(const piece_rows& rows, const piece_question& question,
                graph_scratch& scratch)
      : rows_{rows},
        question_{question},
        query_{question.query.sketched()},
        scratch_{scratch},
        best_{question.k, question.min_score} {}

  [[nodiscard]] std::vector<memory_hit> run() && {
    estimate();
    read_likely();
    read_possible();
    return std::move(best_).take();
  }

private:
  using places = std::span<const std::uint32_t>;

  void estimate();
  void read_likely();
  void read_possible();
  void keep_likely(std::size_t most);
  void read(places some);
  /// The rows of the chunk that begins at `first` whose estimates are not below `bar`.
  [[nodiscard]] places not_below(std::size_t first, float bar);
  [[nodiscard]] bool passes(std::size_t row) const noexcept {
    return !rows_.is_gone(row) && question_.filter.passes(rows_.facts(row));
  }

  const piece_rows& rows_;
  const piece_question& question_;
  sketched_query query_;
  graph_scratch& scratch_;
  best_pieces best_;
  std::array<std::uint32_t, chunk> places_;
};

void sketch_search::estimate() {
  auto& to = scratch_.estimates;
  if (to.size() < rows_.size())
    to.resize(rows_.size());
  for (auto first = std::size_t{0}; first < rows_.size(); first += chunk)
    query_.estimate(
        rows_.all_sketches()[first],
        std::span{to}.subspan(first, std::min(chunk, rows_.size() - first)));
}

sketch_search::places sketch_search::not_below(std::size_t first, float bar) {
  const auto there = std::min(chunk, rows_.size() - first);
  const auto told = query_.not_below(
      std::span{scratch_.estimates}.subspan(first, there), bar, places_);
  for (auto& place : told)
    place += static_cast<std::uint32_t>(first);
  return told;
}

/// Those estimated best, at most; they are no heap.
void sketch_search::keep_likely(std::size_t most) {
  auto& best = scratch_.best;
  if (best.size() <= most)
    return;
  std::ranges::nth_element(best, best.begin() + static_cast<std::ptrdiff_t>(most),
                           std::ranges::greater{}, &graph_scratch::seen::score);
  best.resize(most);
}

void sketch_search::read_likely() {
  const auto most = std::max(likely_at_least, question_.k * likely_for_each);
  auto& best = scratch_.best;
  best.clear();
  auto bar = minus_infinity;
  for (auto first = std::size_t{0}; first < rows_.size(); first += chunk) {
    for (const auto row : not_below(first, bar)) {
      const auto score = scratch_.estimates[row];
      if (score >= bar && passes(row))
        best.push_back({score, static_cast<std::int32_t>(row)});
    }
    if (best.size() < 2 * most)
      continue;
    keep_likely(most);
    bar = std::ranges::min(best, {}, &graph_scratch::seen::score).score;
  }
  keep_likely(most);
  auto some = std::vector<std::uint32_t>(best.size());
  std::ranges::transform(best, some.begin(), [](const graph_scratch::seen& one) {
    return static_cast<std::uint32_t>(one.row);
  });
  read(some);
  for (const auto row : some)
    scratch_.estimates[row] = minus_infinity; // not again
}

void sketch_search::read_possible() {
  for (auto first = std::size_t{0}; first < rows_.size(); first += chunk) {
    const auto bar = best_.bar();
    const auto reach = query_.reach(bar);
    auto possible = std::array<std::uint32_t, chunk>{};
    auto count = std::size_t{0};
    for (const auto row : not_below(first, bar - reach * query_.usual_error())) {
      const auto error = query_.error_of(rows_.all_sketches()[row]);
      if (scratch_.estimates[row] + reach * error < bar || !passes(row))
        continue;
      possible[count++] = row;
    }
    read({possible.data(), count});
  }
}

void sketch_search::read(places some) {
  for (auto i = std::size_t{0}; i < std::min(fetched_ahead, some.size()); ++i)
    rows_.fetch(some[i]);
  for (auto i = std::size_t{0}; i < some.size(); ++i) {
    if (i + fetched_ahead < some.size())
      rows_.fetch(some[i + fetched_ahead]);
    const auto score = question_.query(rows_.vector(some[i]));
    if (score >= best_.bar())
      best_.offer(score, rows_.facts(some[i]));
  }
}

} // namespace

std::vector<memory_hit> search_sketches(const piece_rows& rows,
                                        const piece_question& question,
                                        graph_scratch& scratch) {
  return sketch_search{rows, question, scratch}.run();
}

} // namespace jessica::index
