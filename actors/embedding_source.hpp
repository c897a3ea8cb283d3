// What INDEXER asks the database, so that a test can answer instead.
#pragma once

#include "domain/error.hpp"
#include "domain/memory_search.hpp"
#include "storage/embedding_snapshot.hpp"
#include "storage/endpoint.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace jessica::actors {

/// All block.
struct embedding_source {
  /// What there is now, once these transactions are visible.
  std::function<result<std::shared_ptr<storage::embedding_snapshot>>(
      std::span<const std::uint32_t> seen)>
      look;
  std::function<result<std::vector<embedded_piece>>(const memory_model&,
                                                    std::span<const embedding_id>)>
      fetch;
  std::function<result<std::vector<embedded_piece>>(const memory_model&,
                                                    const user_id&)>
      fetch_user;
};
/// On a connection of its own.
[[nodiscard]] embedding_source embeddings_of(const storage::endpoint& where);

} // namespace jessica::actors
