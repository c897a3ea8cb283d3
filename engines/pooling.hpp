// Makes one vector of a text out of the vectors of its tokens. Pure.
#pragma once

#include "engines/token_batch.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace jessica::engines {

enum class pooling : std::uint8_t {
  none, ///< the model gives one vector a text itself
  mean, ///< of the tokens, not of the padding
  cls,  ///< the first token's
  max,  ///< of each number the largest over the tokens
  last, ///< the last token's
};

/// By its name in embedder.json.
[[nodiscard]] std::optional<pooling> pooling_named(std::string_view name);
[[nodiscard]] std::string_view name(pooling how) noexcept;

/// `values` are rows * columns * width numbers of the batch's tokens (none: rows *
/// width). A text without tokens has the vector of its padding with cls and last, else
/// zeros.
[[nodiscard]] std::vector<std::vector<float>> pool(std::span<const float> values,
                                                   const token_batch& batch,
                                                   std::size_t width, pooling how);

} // namespace jessica::engines
