// A WordPiece tokenizer out of tokenizer.json or vocab.txt.
#pragma once

#include "engines/json_fields.hpp"
#include "engines/token_names.hpp"
#include "engines/tokenizer.hpp"

#include <filesystem>
#include <memory>
#include <string>

namespace jessica::engines {

struct wordpiece_sources {
  json_fields& file;      ///< tokenizer.json
  json_fields& overrides; ///< embedder.json
  json_fields& config;    ///< tokenizer_config.json
};

/// Null, or with a mistake in one of the files: it cannot be used. `unknown`: its name,
/// unless tokenizer.json has another; `names` learns the vocabulary.
[[nodiscard]] std::shared_ptr<const tokenizer>
read_wordpiece(const std::filesystem::path& directory, wordpiece_sources from,
               const std::string& unknown, token_names& names);

} // namespace jessica::engines
