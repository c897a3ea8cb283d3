#include "actors/hybrid_ranking.hpp"

#include <algorithm>
#include <functional>

namespace jessica::actors {
namespace {

/// As much as two unrelated texts differ from two that mean the same in part: a name or
/// a code outweighs that, and no more. Measured by the benchmark "retrieval".
constexpr auto word_weight = 0.3F;

} // namespace

std::vector<memory_hit> rank_hybrid(std::span<const memory_hit> by_vector,
                                    std::span<const storage::worded_memory> by_words,
                                    float unseen) {
  auto all = std::vector<memory_hit>(by_vector.begin(), by_vector.end());
  for (const auto& one : by_words) {
    const auto known = std::ranges::find(all, one.message, &memory_hit::message);
    auto& hit = known != all.end()
                    ? *known
                    : all.emplace_back(embedding_id{}, one.message, unseen);
    hit.score += word_weight * one.match;
  }
  for (auto& one : all)
    one.score /= 1 + word_weight;
  std::ranges::stable_sort(all, std::ranges::greater{}, &memory_hit::score);
  return all;
}

} // namespace jessica::actors
