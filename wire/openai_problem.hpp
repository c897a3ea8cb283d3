// How /v1 words a refusal: {"error": {message, type, param, code}}, as OpenAI's clients
// read it. The table is docs/gateway.md's.
#pragma once

#include "domain/error.hpp"
#include "wire/problem.hpp"

#include <string>
#include <string_view>

namespace jessica::wire {

/// By the error's reason and code.
[[nodiscard]] problem openai_problem(const error& what);

/// A refusal of one field of the request. 400, or 413 and so on.
struct openai_refusal {
  int status = 400;
  std::string_view code;
  std::string message;
  std::string param = {}; ///< empty: none
};
[[nodiscard]] problem openai_problem(const openai_refusal& what);

/// The same object alone, as a stream that has begun tells of its failure.
[[nodiscard]] std::string openai_error_json(const openai_refusal& what);

} // namespace jessica::wire
