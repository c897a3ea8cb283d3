// What searches of a whole index find, and how much of what they should.
#pragma once

#include "index/vector_index.hpp"
#include "tests/unit/index/clustered.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <span>
#include <vector>

namespace jessica::index {

constexpr auto any_score = -2.0F;

inline std::vector<memory_hit> found(vector_index& index, const user_id& user,
                                     const std::vector<float>& query,
                                     const memory_filter& filter = {},
                                     std::size_t k = 10, float min_score = any_score) {
  const auto hits = index.find(user, query, filter, k, min_score);
  REQUIRE(hits.has_value());
  REQUIRE(hits->has_value());
  return **hits;
}

/// The mean recall of searches with the next vectors of `from`. `pieces` are those of
/// pieces_of, all of the user and none removed; whatever is found passes the filter.
inline double mean_recall(vector_index& index, std::span<const embedded_piece> pieces,
                          clustered& from, const memory_filter& filter, int queries) {
  auto sum = 0.0;
  for (auto i = 0; i < queries; ++i) {
    const auto query = from.next();
    const auto hits = found(index, pieces.front().user, query, filter);
    const auto wanted = reference(pieces, query, filter, 10);
    CHECK(hits.size() == wanted.size());
    for (const auto& hit : hits) // id is its number
      CHECK(passes(pieces[static_cast<std::size_t>(hit.id.value - 1)], filter));
    sum += recall(hits, wanted);
  }
  return sum / queries;
}

} // namespace jessica::index
