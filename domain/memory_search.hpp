// A search of somebody's memory, as a whole: what is asked for, what comes back.
#pragma once

#include "domain/lsn.hpp"
#include "domain/memory.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jessica {

/// A row of embedding_models: whose vectors are compared with each other.
struct memory_model {
  std::int16_t id = 0;
  std::string name;
  std::size_t dimensions = 0;

  friend bool operator==(const memory_model&, const memory_model&) = default;
};

/// What is looked for. Either a text or a vector; with both the text serves `hybrid`.
struct memory_question {
  std::string text;
  std::vector<float> vector;      ///< empty: the text is embedded
  std::size_t k = 8;              ///< most messages to find
  std::optional<float> min_score; ///< least cosine; none: the k nearest
  memory_filter filter;
  bool hybrid = false; ///< also by the text's words
  lsn after;           ///< what was committed before it is found; none: as it is
};

/// A message that was found.
struct found_memory {
  message_id message;
  conversation_id conversation;
  message_role role = message_role::user;
  timestamp said_at;
  float score = 0; ///< cosine; of a hybrid search that and the words, at most 1
  std::string content;
  bool cut = false;    ///< the content is longer than what is here
  std::string excerpt; ///< the piece of the content that fits best
};

[[nodiscard]] constexpr std::string_view name(message_role role) noexcept {
  switch (role) {
  case message_role::user:
    return "user";
  case message_role::assistant:
    return "assistant";
  case message_role::system:
    return "system";
  case message_role::tool:
    return "tool";
  }
  return "user";
}

[[nodiscard]] constexpr std::optional<message_role>
role_named(std::string_view text) noexcept {
  for (const auto role : {message_role::user, message_role::assistant,
                          message_role::system, message_role::tool})
    if (name(role) == text)
      return role;
  return std::nullopt;
}

} // namespace jessica
