// What a SEARCH knows: the vectors of its users, how complete they are, and the file
// they are kept in. No CAF. One thread at a time.
#pragma once

#include "domain/error.hpp"
#include "domain/lsn.hpp"
#include "domain/memory_search.hpp"
#include "index/vector_index.hpp"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace jessica::actors {

struct shard_options {
  index::index_options index; ///< model and dimensions are those of match()
  std::filesystem::path file; ///< empty: none
};

class memory_shard {
public:
  explicit memory_shard(shard_options options) : options_(std::move(options)) {}

  /// Becomes a shard of the model, from its file if there is a good one, and drops what
  /// is not `there` (ascending by id). The ids that are lacking. At no place and not
  /// complete until advance(). Fails: as vector_index::make().
  [[nodiscard]] result<std::vector<embedding_id>>
  match(const memory_model& model, std::span<const owned_embedding> there);
  [[nodiscard]] bool matched() const noexcept { return index_.has_value(); }

  /// A piece that cannot be taken is logged and left out.
  void add(const embedded_piece& piece);
  void remove(const owned_embedding& row);
  void clear();
  /// What nobody waits for is not taken: it may be old. False: it could not be taken.
  bool restore(const user_id& user, std::span<const embedded_piece> pieces);
  /// The user is not restored.
  void give_up(const user_id& user);

  /// A part of what can wait; false: nothing is left.
  bool work() { return index_ && index_->work(); }

  void advance(lsn position) noexcept;
  void lose_place() noexcept { complete_ = false; }
  [[nodiscard]] bool complete() const noexcept { return complete_; }
  [[nodiscard]] lsn position() const noexcept { return position_; }
  [[nodiscard]] const memory_model& model() const noexcept { return model_; }

  /// nullopt: the user is to be restored first. Only when matched.
  [[nodiscard]] result<index::search_result> find(const user_id& user,
                                                  std::span<const float> query,
                                                  const memory_filter& filter,
                                                  std::size_t k, float min_score);

  [[nodiscard]] index::index_size size() const;
  [[nodiscard]] std::vector<owned_embedding> rows() const;
  /// Changes since the state was last taken for its file.
  [[nodiscard]] std::size_t unsaved() const noexcept { return unsaved_; }
  /// For the file; null when there is nothing to write.
  [[nodiscard]] std::shared_ptr<const index::vector_index::snapshot> take_state();
  /// What was taken did not reach the file.
  void not_saved() noexcept { ++unsaved_; }
  [[nodiscard]] const std::filesystem::path& file() const noexcept {
    return options_.file;
  }

private:
  [[nodiscard]] result<void> become(const memory_model& model);
  [[nodiscard]] index::index_options wanted(const memory_model& model) const;

  shard_options options_;
  std::optional<index::vector_index> index_;
  memory_model model_;
  lsn position_;
  bool complete_ = false;
  std::size_t unsaved_ = 0;
};

} // namespace jessica::actors
