// pgvector beside our index: one table, a filter on its user, through HNSW or a sort.
#pragma once

#include "bench/load/search_contender.hpp"

#include <filesystem>

namespace jessica::bench {

/// To load and index more takes longer than all the rest.
inline constexpr auto most_in_pgvector = std::size_t{100'000};

/// Of how many users, the first ones, all vectors are few enough.
[[nodiscard]] std::size_t owners_in_pgvector(const search_corpus& corpus) noexcept;

/// A cluster of its own, which ends with the contender. Holds the vectors of
/// owners_in_pgvector(), of whom alone it is asked. Takes the quickest way that reaches
/// the recall. Main thread, before others are started.
[[nodiscard]] result<search_contender>
open_pgvector(const search_corpus& corpus,
              std::span<const search_corpus::question> questions,
              const std::filesystem::path& home);

} // namespace jessica::bench
