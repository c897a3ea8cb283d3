// Runs one ONNX file; the only place that knows onnxruntime.
#pragma once

#include "domain/error.hpp"
#include "engines/pooling.hpp"
#include "engines/token_batch.hpp"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::engines {

struct session_shape {
  std::vector<std::string> inputs; ///< "input_ids int64" and so on
  std::string output;              ///< the one that is read
  std::size_t rank = 0;            ///< 2: a vector a text; 3: one a token
  std::size_t width = 0;           ///< numbers of a vector; 0: the file does not say
};

class onnx_session {
public:
  /// `output` empty: sentence_embedding, else last_hidden_state, else token_embeddings,
  /// else the first float output. `threads`: of one run. Fails: invalid_input (the file
  /// is no model that takes ids and gives vectors).
  [[nodiscard]] static result<onnx_session>
  open(const std::filesystem::path& file, std::string_view output, std::size_t threads);
  onnx_session(onnx_session&&) noexcept;
  onnx_session& operator=(onnx_session&&) noexcept;
  ~onnx_session();

  [[nodiscard]] const session_shape& shape() const noexcept;

  /// One vector a row, as the model gives it; pooling::none if the rank is 2. Several
  /// threads at once. Fails: internal (what onnxruntime says, or another shape).
  [[nodiscard]] result<std::vector<std::vector<float>>> run(const token_batch& batch,
                                                            pooling how) const;

private:
  struct parts;
  explicit onnx_session(std::unique_ptr<parts> made);

  std::unique_ptr<parts> parts_;
};

} // namespace jessica::engines
