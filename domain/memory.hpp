// Memory: pieces of messages as vectors, and what is asked of them.
#pragma once

#include "domain/account.hpp"
#include "domain/ids.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace jessica {

/// A row of embeddings. Rows never change; a new text has new rows.
struct embedding_id {
  std::int64_t value = 0;
  friend auto operator<=>(const embedding_id&, const embedding_id&) = default;
};

/// Who wrote a message.
enum class message_role : std::uint8_t { user, assistant, system, tool };

/// One piece of a message, as searches know it.
struct embedded_piece {
  embedding_id id;
  user_id user;
  conversation_id conversation;
  message_id message;
  message_role role = message_role::user;
  timestamp said_at;         ///< when the message was created
  std::vector<float> vector; ///< of length 1
};

/// Which row, and whose.
struct owned_embedding {
  embedding_id id;
  user_id user;

  friend auto operator<=>(const owned_embedding&, const owned_embedding&) = default;
};

/// Which pieces a search may find. Empty: all of the user's.
struct memory_filter {
  std::optional<conversation_id> conversation = {};     ///< only in it
  std::optional<conversation_id> not_conversation = {}; ///< only outside
  std::optional<message_role> role = {};
  std::optional<timestamp> since = {};  ///< said then or later
  std::optional<timestamp> before = {}; ///< said earlier than then
};

/// A piece that a search found.
struct memory_hit {
  embedding_id id;
  message_id message;
  float score = 0; ///< cosine to the query: 1 is the same, 0 has nothing in common

  friend bool operator==(const memory_hit&, const memory_hit&) = default;
};

} // namespace jessica

template <> struct std::hash<jessica::embedding_id> {
  [[nodiscard]] std::size_t operator()(jessica::embedding_id id) const noexcept {
    return std::hash<std::int64_t>{}(id.value);
  }
};
