// hnswlib beside our index: an index or a plain list for each user, or one index for
// all with a filter.
#pragma once

#include "bench/load/search_contender.hpp"

namespace jessica::bench {

/// Builds what it needs, and takes the quickest way that reaches the recall. Fails:
/// unavailable (its header was not there when this was built).
[[nodiscard]] result<search_contender>
open_hnswlib(const search_corpus& corpus,
             std::span<const search_corpus::question> questions);

} // namespace jessica::bench
