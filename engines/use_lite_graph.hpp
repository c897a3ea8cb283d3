// Universal Sentence Encoder lite as an ONNX file. Pure.
#pragma once

#include "domain/error.hpp"
#include "engines/use_lite_package.hpp"

#include <cstddef>
#include <string>

namespace jessica::engines {

constexpr auto use_lite_dimensions = std::size_t{512};
constexpr auto use_lite_max_tokens = std::size_t{128};

/// Takes input_ids and attention_mask, gives sentence_embedding. `int8`: the linear
/// layers' weights in one byte each, for onnxruntime's own operator; a vector then
/// depends a little on what else is in its batch. The same weights give the same bytes.
/// Fails: invalid_input (a tensor is missing, unknown, or of another shape; a number is
/// not as the network needs it).
[[nodiscard]] result<std::string> use_lite_onnx(const use_lite_package& package,
                                                bool int8);

} // namespace jessica::engines
