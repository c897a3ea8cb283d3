// A model's tokenizer out of its files: tokenizer.json, vocab.txt and what overrides
// them.
#pragma once

#include "domain/error.hpp"
#include "engines/json_fields.hpp"
#include "engines/tokenizer.hpp"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace jessica::engines {

struct tokenizer_parts {
  std::shared_ptr<const tokenizer> encoder;
  std::string kind;             ///< "unigram" or "wordpiece"
  std::vector<token_id> before; ///< special tokens around every text
  std::vector<token_id> after;
  token_id padding = 0;
  std::optional<std::size_t> max_tokens; ///< as tokenizer.json says
};

/// `overrides` are the fields of embedder.json; its mistakes are for the caller to ask
/// about. Fails: invalid_input naming the file and field.
[[nodiscard]] result<tokenizer_parts>
read_tokenizer(const std::filesystem::path& directory, json_fields& overrides);

} // namespace jessica::engines
