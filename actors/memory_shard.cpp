#include "actors/memory_shard.hpp"

#include "ops/log.hpp"
#include "ops/metrics.hpp"

#include <algorithm>
#include <utility>

namespace jessica::actors {
namespace {

[[nodiscard]] ops::counter& refused() {
  static auto counted = ops::counter{
      "jessica_actors_memory_pieces_refused_total",
      "Embeddings that the index could not take: a vector of a wrong size"};
  return counted;
}

} // namespace

index::index_options memory_shard::wanted(const memory_model& model) const {
  auto options = options_.index;
  options.model = model.name;
  options.dimensions = model.dimensions;
  return options;
}

result<void> memory_shard::become(const memory_model& model) {
  if (index_ && model == model_)
    return {};
  index_.reset();
  complete_ = false;
  unsaved_ = 0;
  const auto options = wanted(model);
  if (!options_.file.empty()) {
    auto opened = index::vector_index::open(options, options_.file);
    if (opened)
      index_ = std::move(*opened);
    else if (opened.error().code != errc::not_found) {
      ops::warn("memory.file_not_taken",
                {{"file", options_.file.string()}, {"cause", opened.error().what}});
      not_saved(); // it is of no use: another one takes its place, changes or not
    }
  }
  if (!index_) {
    auto made = index::vector_index::make(options);
    if (!made)
      return std::unexpected{std::move(made.error())};
    index_ = std::move(*made);
  }
  model_ = model;
  return {};
}

result<std::vector<embedding_id>>
memory_shard::match(const memory_model& model, std::span<const owned_embedding> there) {
  complete_ = false;
  position_ = {}; // a restored database may be behind where we were
  if (auto became = become(model); !became)
    return std::unexpected{std::move(became.error())};
  auto missing = std::vector<embedding_id>{};
  const auto here = index_->owned();
  auto at = here.begin();
  for (const auto& row : there) {
    for (; at != here.end() && at->id < row.id; ++at)
      remove(*at);
    if (at != here.end() && at->id == row.id)
      ++at;
    else
      missing.push_back(row.id);
  }
  for (; at != here.end(); ++at)
    remove(*at);
  return missing;
}

void memory_shard::add(const embedded_piece& piece) {
  if (auto added = index_->add(piece); !added) {
    refused().add();
    ops::warn("memory.piece_refused",
              {{"embedding", piece.id.value}, {"cause", added.error().what}});
    return;
  }
  ++unsaved_;
}

void memory_shard::remove(const owned_embedding& row) {
  if (index_->remove(row.user, row.id))
    ++unsaved_;
}

void memory_shard::clear() {
  // The options were good when the index was made.
  if (auto made = index::vector_index::make(wanted(model_)))
    index_ = std::move(*made);
  ++unsaved_;
}

bool memory_shard::restore(const user_id& user,
                           std::span<const embedded_piece> pieces) {
  if (!index_ || !index_->awaits(user))
    return true;
  auto loaded = index_->load(user, pieces);
  if (loaded)
    return true;
  ops::warn("memory.user_not_restored",
            {{"user", user.str()}, {"cause", loaded.error().what}});
  index_->give_up(user);
  return false;
}

void memory_shard::give_up(const user_id& user) {
  if (index_)
    index_->give_up(user);
}

void memory_shard::advance(lsn position) noexcept {
  position_ = std::max(position_, position);
  complete_ = true;
}

result<index::search_result> memory_shard::find(const user_id& user,
                                                std::span<const float> query,
                                                const memory_filter& filter,
                                                std::size_t k, float min_score) {
  return index_->find(user, query, filter, k, min_score);
}

index::index_size memory_shard::size() const {
  return index_ ? index_->size() : index::index_size{};
}

std::vector<owned_embedding> memory_shard::rows() const {
  return index_ ? index_->owned() : std::vector<owned_embedding>{};
}

std::shared_ptr<const index::vector_index::snapshot> memory_shard::take_state() {
  if (!index_ || options_.file.empty() || unsaved_ == 0)
    return nullptr;
  unsaved_ = 0;
  return index_->freeze();
}

} // namespace jessica::actors
