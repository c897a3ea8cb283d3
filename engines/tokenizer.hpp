// A tokenizer: text in, the numbers a model was trained with out.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace jessica::engines {

using token_id = std::int64_t;

/// May be used by several threads at once.
class tokenizer {
public:
  virtual ~tokenizer() = default;

  /// Without the special tokens that some models want around a text. An empty text has
  /// none. Any bytes: what is not in the vocabulary becomes the unknown token.
  [[nodiscard]] virtual std::vector<token_id> encode(std::string_view text) const = 0;

  /// No token has a higher number.
  [[nodiscard]] virtual token_id highest_id() const noexcept = 0;
};

} // namespace jessica::engines
