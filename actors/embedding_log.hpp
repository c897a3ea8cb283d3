// What a piece of the log means to the shards of the index. No CAF.
#pragma once

#include "actors/memory_messages.hpp"

#include <cstddef>
#include <vector>

namespace jessica::actors {

struct logged_changes {
  std::vector<std::vector<piece_change>> shares; ///< of each shard, in order
  std::size_t changes = 0;                       ///< rows added and removed
  bool emptied = false; ///< rows that were there before are gone
};

/// Rows of other tables and models mean nothing; one that makes no sense is logged.
[[nodiscard]] logged_changes read_log(const storage::feed_piece& piece,
                                      const memory_model& model, std::size_t shards);

} // namespace jessica::actors
