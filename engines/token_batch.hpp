// Texts as numbers, several at once: which go together, and how they are padded. Pure.
#pragma once

#include "engines/tokenizer.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace jessica::engines {

/// Rows of equal length, one a text; padding on the right.
struct token_batch {
  std::size_t rows = 0;
  std::size_t columns = 0;    ///< at least 1
  std::vector<token_id> ids;  ///< rows * columns
  std::vector<token_id> mask; ///< 1: a token, 0: padding
};

struct batch_limits {
  std::size_t texts = 32;
  std::size_t tokens = 1024; ///< padding included; a longer text is alone
};

/// Which texts share a batch: all of them once, those of like length together.
[[nodiscard]] std::vector<std::vector<std::size_t>>
plan_batches(std::span<const std::vector<token_id>> texts, const batch_limits& limits);

[[nodiscard]] token_batch padded(std::span<const std::vector<token_id>> texts,
                                 std::span<const std::size_t> chosen, token_id padding);

} // namespace jessica::engines
