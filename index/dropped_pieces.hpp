// A user whose vectors are not in memory: which pieces there are, and what came while
// they were on their way back.
#pragma once

#include "domain/memory.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_set>
#include <vector>

namespace jessica::index {

/// From the first search that missed the vectors on, changes are kept beside them: what
/// is loaded may have been read before or after any of these.
class dropped_pieces {
public:
  /// `ids` ascend.
  explicit dropped_pieces(std::vector<embedding_id> ids) : ids_{std::move(ids)} {}

  /// A search missed the vectors.
  void want() noexcept { wanted_ = true; }
  [[nodiscard]] bool wanted() const noexcept { return wanted_; }
  /// Nothing will be loaded: changes are kept no more.
  void give_up() noexcept;
  /// False: it is there already.
  bool add(const embedded_piece& piece);
  bool remove(embedding_id id);

  /// What was loaded, without what was removed meanwhile and with what was added.
  [[nodiscard]] std::vector<embedded_piece>
  merged(std::span<const embedded_piece> loaded) const;

  [[nodiscard]] const std::vector<embedding_id>& ids() const noexcept { return ids_; }
  [[nodiscard]] std::size_t bytes() const noexcept;

private:
  std::vector<embedding_id> ids_;
  std::vector<embedded_piece> added_;
  std::unordered_set<embedding_id> removed_;
  std::size_t added_bytes_ = 0;
  bool wanted_ = false;
};

} // namespace jessica::index
