// pgvector beside our index: one table with a filter by its user, through HNSW or a
// sort; and, where users are few, a table for each.
#pragma once

#include "bench/load/search_contender.hpp"

#include <chrono>
#include <filesystem>
#include <span>
#include <vector>

namespace jessica::bench {

struct pgvector_form {
  search_contender who;
  std::vector<search_corpus::question> asked; ///< of the users whose vectors it holds
};

/// A cluster of its own, which ends with the last of them. Of each form the quickest
/// way that reaches the recall. The one table holds all vectors, and a graph of them
/// unless to build it takes longer than `graph_limit`; the tables hold a hundred
/// thousand vectors at most, of the first users. Main thread, before others are
/// started.
[[nodiscard]] result<std::vector<pgvector_form>>
open_pgvector(const search_corpus& corpus,
              std::span<const search_corpus::question> questions,
              std::chrono::minutes graph_limit, const std::filesystem::path& home);

} // namespace jessica::bench
