#include "index/dropped_pieces.hpp"

#include <algorithm>

namespace jessica::index {

namespace {

std::size_t bytes_of(const embedded_piece& piece) {
  return sizeof piece + piece.vector.size() * sizeof(float);
}

} // namespace

bool dropped_pieces::add(const embedded_piece& piece) {
  const auto place = std::ranges::lower_bound(ids_, piece.id);
  if (place != ids_.end() && *place == piece.id)
    return false;
  ids_.insert(place, piece.id);
  if (wanted_) {
    added_.push_back(piece);
    added_bytes_ += bytes_of(piece);
    removed_.erase(piece.id);
  }
  return true;
}

bool dropped_pieces::remove(embedding_id id) {
  const auto place = std::ranges::lower_bound(ids_, id);
  if (place == ids_.end() || *place != id)
    return false;
  ids_.erase(place);
  if (wanted_) {
    std::erase_if(added_, [&](const embedded_piece& piece) {
      if (piece.id != id)
        return false;
      added_bytes_ -= bytes_of(piece);
      return true;
    });
    removed_.insert(id);
  }
  return true;
}

void dropped_pieces::give_up() noexcept {
  wanted_ = false;
  added_bytes_ = 0;
  std::vector<embedded_piece>{}.swap(added_);
  removed_.clear();
}

std::vector<embedded_piece>
dropped_pieces::merged(std::span<const embedded_piece> loaded) const {
  auto all = std::vector<embedded_piece>{};
  all.reserve(loaded.size() + added_.size());
  for (const auto& piece : loaded)
    if (!removed_.contains(piece.id))
      all.push_back(piece);
  all.insert(all.end(), added_.begin(), added_.end());
  std::ranges::stable_sort(all, {}, &embedded_piece::id);
  const auto twice = std::ranges::unique(all, {}, &embedded_piece::id);
  all.erase(twice.begin(), twice.end());
  return all;
}

std::size_t dropped_pieces::bytes() const noexcept {
  return (ids_.size() + removed_.size() * 4) * sizeof(embedding_id) + added_bytes_;
}

} // namespace jessica::index
