// Writes and opens the file of an index.
#pragma once

#include "index/partition.hpp"
#include "index/snapshot_layout.hpp"
#include "index/vector_index.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace jessica::index {

/// A user of a snapshot: pieces, or the ids of those that are not in memory.
struct frozen_user {
  user_id user;
  std::variant<partition::frozen, std::vector<embedding_id>> kept;
};

/// A whole index.
struct frozen_index {
  std::string model; ///< of at most longest_model bytes
  vector_form form;
  std::size_t dimensions;
  std::vector<frozen_user> users;
};

inline constexpr auto longest_model = sizeof(snapshot_head::model) - 1;

/// See vector_index::write.
[[nodiscard]] result<void> write_snapshot(const frozen_index& state,
                                          const std::filesystem::path& file);

/// A user that a file has.
struct opened_user {
  user_id user;
  std::variant<partition, std::vector<embedding_id>> kept;
};

/// See vector_index::open. The partitions keep the file and `code`.
[[nodiscard]] result<std::vector<opened_user>>
open_snapshot(const index_options& options, const vector_code& code,
              const std::filesystem::path& file);

} // namespace jessica::index
