// What a folder of a model says about it: our own embedder.json, else the files that
// model hubs know.
#pragma once

#include "domain/error.hpp"
#include "engines/clean_text.hpp"
#include "engines/pooling.hpp"
#include "engines/token_batch.hpp"
#include "engines/tokenizer_files.hpp"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

namespace jessica::engines {

struct model_description {
  std::filesystem::path directory;
  std::filesystem::path onnx;
  std::string id;         ///< name and start of the file's hash, or given
  std::string name;       ///< given, or the folder's
  bool quantized = false; ///< scales follow the batch: one text at a time
  std::optional<std::size_t> dimensions; ///< of the file's output, if it is said
  std::size_t truncate_dimensions = 0;   ///< 0: all are kept
  std::size_t max_tokens = 0;            ///< special tokens included
  std::string output;                    ///< empty: looked for
  std::optional<pooling> pool;           ///< else by the output's rank
  std::string query_prefix;
  std::string document_prefix;
  cleaning clean;
  bool truncate_long = false; ///< else long texts are cut into pieces
  std::size_t overlap_tokens = 0;
  batch_limits batch;
  std::size_t threads = 1;
  float match_threshold = 0;
  tokenizer_parts tokens;
};

/// `quantized`: of the int8 file beside or instead of the other. Fails: not_found (no
/// such folder), invalid_input naming the file and field.
[[nodiscard]] result<model_description>
read_model_directory(const std::filesystem::path& directory, bool quantized);

} // namespace jessica::engines
