// The best pieces seen so far in a search, one of each message.
#pragma once

#include "domain/memory.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace jessica::index {

struct piece_facts;

/// Keeps the `k` best; of equal scores the newer id is better.
class best_pieces {
public:
  best_pieces(std::size_t k, float min_score) : k_{k}, min_score_{min_score} {
    constexpr auto usual = std::size_t{64};
    best_.reserve(std::min(k, usual));
  }

  /// A piece with a lower score cannot get in.
  [[nodiscard]] float bar() const noexcept {
    return best_.size() < k_ ? min_score_ : best_.back().score;
  }
  void offer(float score, const piece_facts& piece);

  [[nodiscard]] std::size_t size() const noexcept { return best_.size(); }
  /// Best first.
  [[nodiscard]] std::vector<memory_hit> take() && { return std::move(best_); }

private:
  std::size_t k_;
  float min_score_;
  std::vector<memory_hit> best_;
};

} // namespace jessica::index
