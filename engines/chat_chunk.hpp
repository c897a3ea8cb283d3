// What a provider says: one data payload of its stream, a whole answer, an error's
// body, its list of models. Pure.
#pragma once

#include "domain/chat.hpp"
#include "domain/error.hpp"
#include "engines/call_pieces.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::engines {

/// An error object, wherever it stands.
struct complaint {
  std::string message;
  std::string type; ///< or its code, whichever there is
};

struct chat_chunk {
  std::string text;      ///< valid UTF-8 without NUL; may be empty
  std::string reasoning; ///< the same
  std::vector<call_piece> calls;
  std::string finish_reason; ///< empty: none yet
  std::optional<usage> used;
  std::optional<complaint> failed;
};

/// A chunk of a stream (choices[0].delta) or a whole answer (choices[0].message).
/// Unknown fields are passed over; null is the same as nothing. Fails: invalid_input
/// (no JSON object, or a field that has the wrong kind).
[[nodiscard]] result<chat_chunk> read_chunk(std::string_view json);

/// {"error": {"message"}}, {"error": "..."}, {"message"}; else an empty message.
[[nodiscard]] complaint read_complaint(std::string_view body);

/// Ids of {"data": [{"id"}]}, in order. Fails: invalid_input.
[[nodiscard]] result<std::vector<std::string>> read_models(std::string_view body);

} // namespace jessica::engines
