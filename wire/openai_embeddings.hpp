// The body of /v1/embeddings and its answer; the list of /v1/models.
#pragma once

#include "wire/embed_json.hpp"
#include "wire/openai_problem.hpp"

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::wire {

struct embeddings_request {
  std::vector<std::string> texts;
  std::string model;                      ///< empty: none is named
  std::optional<std::int64_t> dimensions; ///< the vectors have to have
  bool query = false;                     ///< they are searched for, not found
  bool base64 = false; ///< vectors as the bytes of their floats, little endian
};

/// Of the extra field `purpose`, document or query, the default is document.
[[nodiscard]] std::expected<embeddings_request, openai_refusal>
read_embeddings(std::string_view json, embed_limits limits);

struct embeddings_answer {
  std::string_view model;
  std::span<const std::vector<float>> vectors;
  std::int64_t tokens = 0;
  bool base64 = false;
};
[[nodiscard]] std::string openai_embeddings_json(const embeddings_answer& what);

/// One of the objects of the list. `created`: seconds since 1970.
[[nodiscard]] std::string model_json(std::string_view id, std::int64_t created);
[[nodiscard]] std::string models_json(std::span<const std::string> ids,
                                      std::int64_t created);

} // namespace jessica::wire
