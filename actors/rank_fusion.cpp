#include "actors/rank_fusion.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>

namespace jessica::actors {
namespace {

/// How much the first ranks weigh against the later ones: the usual choice.
constexpr auto damping = 60.0F;
constexpr auto best = 2 / (damping + 1);

[[nodiscard]] float share_of(std::size_t rank) {
  return 1 / (damping + 1 + static_cast<float>(rank)) / best;
}

} // namespace

std::vector<memory_hit> fuse_ranks(std::span<const memory_hit> by_vector,
                                   std::span<const message_id> by_words) {
  auto all = std::vector<memory_hit>(by_vector.begin(), by_vector.end());
  for (auto rank = std::size_t{0}; rank < all.size(); ++rank)
    all[rank].score = share_of(rank);
  for (auto rank = std::size_t{0}; rank < by_words.size(); ++rank) {
    const auto known = std::ranges::find(all, by_words[rank], &memory_hit::message);
    if (known != all.end())
      known->score += share_of(rank);
    else
      all.push_back({{}, by_words[rank], share_of(rank)});
  }
  std::ranges::stable_sort(all, std::ranges::greater{}, &memory_hit::score);
  return all;
}

} // namespace jessica::actors
