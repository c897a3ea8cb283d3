#include "index/piece_search.hpp"

#include "index/graph_walk.hpp"
#include "index/sketch_search.hpp"

#include <algorithm>
#include <cmath>

namespace jessica::index {
namespace {

/// Rows that a walk keeps: recall@10 of 0.99 on clustered vectors needs about half of
/// it.
constexpr auto keep_at_least = std::size_t{128};
/// In big graphs more is as near as what is looked for.
constexpr auto big_graph = std::size_t{30'000};
constexpr auto keep_at_least_in_big = std::size_t{256};
/// A walk keeps more rows than are asked for: some may be of one message.
constexpr auto keep_for_each = std::size_t{3};
/// Vectors that a walk reads for each row it keeps, when all pass.
constexpr auto reads_of_kept = 24.0;
/// Nanoseconds, measured; only their ratios matter. A scan has its rows fetched ahead,
/// a walk waits for memory at each.
constexpr auto scan_of_byte = 0.033;
constexpr auto scan_of_sketch = 3.5;
constexpr auto walk_of_row = 90.0;
constexpr auto walk_of_byte = 0.025;
constexpr auto filter_of_row = 2.0;
constexpr auto sampled_rows = std::size_t{256};
/// Where all vectors together have fewer bytes it is as quick to read them all.
constexpr auto sketched_from = std::size_t{256} * 1024;

/// About the share of rows that pass.
double share_that_passes(const piece_rows& rows, const piece_filter& filter) {
  const auto present =
      static_cast<double>(rows.present()) / static_cast<double>(rows.size());
  if (filter.open())
    return present;
  const auto step = std::max<std::size_t>(1, rows.size() / sampled_rows);
  auto asked = 0.0;
  auto passed = 0.0;
  for (auto row = std::size_t{0}; row < rows.size(); row += step, ++asked)
    passed += !rows.is_gone(row) && filter.passes(rows.facts(row)) ? 1.0 : 0.0;
  return passed / asked;
}

std::size_t to_keep(const piece_rows& rows, std::size_t k) {
  return std::max(rows.size() < big_graph ? keep_at_least : keep_at_least_in_big,
                  k * keep_for_each);
}

bool are_sketched(const piece_rows& rows) {
  const auto each = rows.all_vectors().row_bytes();
  return each >= 4 * rows.all_sketches().row_bytes() &&
         rows.size() * each >= sketched_from;
}

bool walk_is_quicker(const piece_rows& rows, const piece_question& question) {
  const auto share = share_that_passes(rows, question.filter);
  if (share == 0)
    return false;
  const auto bytes = static_cast<double>(rows.all_vectors().row_bytes());
  const auto filtered = question.filter.open() ? 0.0 : filter_of_row;
  const auto each =
      are_sketched(rows) ? scan_of_sketch : share * bytes * scan_of_byte + filtered;
  const auto scan = static_cast<double>(rows.size()) * each;
  // What passes is near what passes: half the share needs less than twice the reads.
  const auto reads = static_cast<double>(to_keep(rows, question.k)) * reads_of_kept /
                     std::cbrt(share * share);
  return reads * (walk_of_row + bytes * walk_of_byte) < scan;
}

/// Much of what was kept is one vector, many times: that left the walk too little room
/// to go on to what is better.
bool crowded(graph_scratch& scratch) {
  constexpr auto rounding = 1e-6F;
  constexpr auto share = std::size_t{4};
  auto& best = scratch.best;
  std::ranges::sort(best, std::ranges::greater{}, &graph_scratch::seen::score);
  auto equal = std::size_t{0};
  for (auto i = std::size_t{1}; i < best.size() && equal * share < best.size(); ++i)
    equal = best[i - 1].score - best[i].score <= rounding ? equal + 1 : 0;
  return best.size() > 1 && equal * share >= best.size();
}

/// What the walk kept answers the question: enough messages, or the rest is too far
/// away.
/// `best` is sorted.
bool answered(const graph_scratch& scratch, const piece_question& question,
              const std::vector<memory_hit>& hits, std::size_t kept) {
  return hits.size() >= question.k || (scratch.best.size() == kept &&
                                       scratch.best.back().score < question.min_score);
}

} // namespace

std::vector<memory_hit> search_all(const piece_rows& rows,
                                   const piece_question& question) {
  auto best = best_pieces{question.k, question.min_score};
  for (auto row = std::size_t{0}; row < std::min(fetched_ahead, rows.size()); ++row)
    rows.fetch(row);
  for (auto row = std::size_t{0}; row < rows.size(); ++row) {
    if (row + fetched_ahead < rows.size())
      rows.fetch(row + fetched_ahead);
    if (rows.is_gone(row) ||
        (!question.filter.open() && !question.filter.passes(rows.facts(row))))
      continue;
    const auto score = question.query(rows.vector(row));
    if (score >= best.bar())
      best.offer(score, rows.facts(row));
  }
  return std::move(best).take();
}

std::vector<memory_hit> search_rows(const piece_rows& rows,
                                    const piece_question& question,
                                    graph_scratch& scratch) {
  return are_sketched(rows) ? search_sketches(rows, question, scratch)
                            : search_all(rows, question);
}

std::vector<memory_hit> search_pieces(const piece_rows& rows,
                                      const piece_question& question,
                                      graph_scratch& scratch) {
  const auto graph = rows.whole_graph();
  if (graph == nullptr || (!question.always_walk && !walk_is_quicker(rows, question)))
    return search_rows(rows, question, scratch);
  auto walk = graph_walk{rows, *graph, question.query, question.filter, scratch};
  // The share that passes near the query may be far from the share among all.
  const auto most = question.always_walk ? rows.size() * 2 : rows.size() / 2;
  const auto limits = walk_limits{.keep = to_keep(rows, question.k), .distances = most};
  if (walk.run(limits) != walk_end::nothing_better || crowded(scratch))
    return search_rows(rows, question, scratch);
  auto best = best_pieces{question.k, question.min_score};
  for (const auto& [score, row] : scratch.best)
    best.offer(score, rows.facts(static_cast<std::size_t>(row)));
  auto hits = std::move(best).take();
  return answered(scratch, question, hits, limits.keep)
             ? hits
             : search_rows(rows, question, scratch);
}

} // namespace jessica::index
