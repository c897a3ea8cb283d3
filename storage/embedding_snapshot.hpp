// Which embeddings there are at one moment: what the change feed continues. The moment
// is held by an open transaction, so that reading need not hurry.
#pragma once

#include "domain/error.hpp"
#include "domain/memory_search.hpp"
#include "storage/endpoint.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace jessica::storage {

/// A connection of its own with a read-only transaction; both end with the object. One
/// thread at a time; blocks.
class embedding_snapshot {
public:
  /// As of the snapshot that wal_stream exported; empty: as of now. Role: engine.
  /// Fails: invalid_input (the snapshot is no more); unavailable.
  [[nodiscard]] static result<embedding_snapshot> open(const endpoint& where,
                                                       std::string_view exported);
  ~embedding_snapshot();
  embedding_snapshot(embedding_snapshot&&) noexcept;
  embedding_snapshot& operator=(embedding_snapshot&&) noexcept;

  /// The model that searches go by; nullopt: there was none.
  [[nodiscard]] result<std::optional<memory_model>> model();
  /// At most `most` rows of the model behind `after`, by id; fewer: these are the last.
  [[nodiscard]] result<std::vector<owned_embedding>>
  owners(const memory_model& model, embedding_id after, std::size_t most);

private:
  struct state;
  explicit embedding_snapshot(std::unique_ptr<state> state);
  std::unique_ptr<state> state_;
};

} // namespace jessica::storage
