// The embedder that runs a model of this machine.
#pragma once

#include "domain/error.hpp"
#include "engines/embedder.hpp"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace jessica::engines {

struct onnx_options {
  std::filesystem::path directory;
  bool quantized = false;    ///< the int8 file
  std::size_t threads = 0;   ///< of one run; 0: as the folder says
  float match_threshold = 0; ///< 0: as the folder says
};

/// A model as it will be used, for people.
struct model_fact {
  std::string name;
  std::string value;
};

/// Loads the model and runs it once on the longest text with the highest token, so that
/// a model that does not fit its tokenizer fails here. Fails: not_found (no such
/// folder), invalid_input naming the file and field.
[[nodiscard]] result<std::shared_ptr<embedder>>
open_onnx_embedder(const onnx_options& how);

/// What was understood of a model directory; loads it likewise.
[[nodiscard]] result<std::vector<model_fact>> describe_model(const onnx_options& how);

} // namespace jessica::engines
