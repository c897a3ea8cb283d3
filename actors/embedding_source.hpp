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

/// All block, and answer what there is once the transactions `seen` are visible: older
/// rows than those that the log told must not come behind them.
struct embedding_source {
  using transactions = std::span<const std::uint32_t>;
  using pieces = result<std::vector<embedded_piece>>;

  std::function<result<std::shared_ptr<storage::embedding_snapshot>>(transactions seen)>
      look;
  std::function<pieces(const memory_model&, std::span<const embedding_id>,
                       transactions seen)>
      fetch;
  std::function<pieces(const memory_model&, const user_id&, transactions seen)>
      fetch_user;
};
/// On a connection of its own.
[[nodiscard]] embedding_source embeddings_of(const storage::endpoint& where);

} // namespace jessica::actors
