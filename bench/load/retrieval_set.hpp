// Queries, the one text each should find, and texts it should not: to measure searches
// by meaning.
#pragma once

#include "domain/error.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::bench {

struct retrieval_query {
  std::string text;
  std::size_t wanted = 0; ///< the document that means the same
};

struct retrieval_set {
  std::vector<retrieval_query> queries;
  std::vector<std::string> documents; ///< each once
  std::vector<bool> hard; ///< of a document: shares words with a query, not its meaning
};

/// Lines: "q " a query, then "p " its paraphrase and "h " hard texts; "d " any other
/// text; "#" a remark. Fails: invalid_input naming the line.
[[nodiscard]] result<retrieval_set> read_retrieval_set(std::string_view text);
/// Fails: not_found as well.
[[nodiscard]] result<retrieval_set>
read_retrieval_file(const std::filesystem::path& at);

/// What a ranking is worth, from the rank of each query's wanted document (1: first).
struct retrieval_score {
  double recall_at_1 = 0;
  double recall_at_5 = 0;
  double reciprocal_rank = 0; ///< mean
};
[[nodiscard]] retrieval_score score_of(const std::vector<std::size_t>& ranks);

} // namespace jessica::bench
