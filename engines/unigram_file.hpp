// A unigram tokenizer out of tokenizer.json.
#pragma once

#include "engines/json_fields.hpp"
#include "engines/tokenizer.hpp"

#include <memory>
#include <vector>

namespace jessica::engines {

/// Null, or with a mistake in one of the files: it cannot be used. `special`: tokens
/// that are no text.
[[nodiscard]] std::shared_ptr<const tokenizer>
read_unigram(json_fields& file, json_fields& overrides,
             const std::vector<token_id>& special);

} // namespace jessica::engines
