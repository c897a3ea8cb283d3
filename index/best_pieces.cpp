#include "index/best_pieces.hpp"

#include "index/piece_facts.hpp"

#include <algorithm>
#include <utility>

namespace jessica::index {
namespace {

bool better(const memory_hit& a, const memory_hit& b) {
  return a.score != b.score ? a.score > b.score : a.id > b.id;
}

} // namespace

void best_pieces::offer(float score, const piece_facts& piece) {
  const auto offered =
      memory_hit{embedding_id{piece.id}, message_id{piece.message}, score};
  if (k_ == 0 || !(score >= min_score_) ||
      (best_.size() == k_ && !better(offered, best_.back())))
    return;
  const auto place =
      std::upper_bound(best_.begin(), best_.end(), offered, better) - best_.begin();
  const auto same =
      std::find_if(best_.begin(), best_.end(), [&](const memory_hit& hit) {
        return hit.message == offered.message;
      });
  if (same != best_.end()) {
    if (!better(offered, *same))
      return;
    // Those between make way for it, over the worse piece of its message.
    std::move_backward(best_.begin() + place, same, same + 1);
    best_[static_cast<std::size_t>(place)] = offered;
    return;
  }
  if (best_.size() == k_)
    best_.pop_back();
  best_.insert(best_.begin() + place, offered);
}

} // namespace jessica::index
