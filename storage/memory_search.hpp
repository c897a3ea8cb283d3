// What a search of memories asks PostgreSQL, as its user: texts of what the index
// found, words, and the vectors themselves while there is no index. Row security
// decides what is seen. Role: requests.
#pragma once

#include "domain/error.hpp"
#include "domain/identity.hpp"
#include "domain/memory_search.hpp"
#include "storage/connection.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::storage {

/// Whose memories, and with which rights.
struct memory_owner {
  user_id user;
  /// The user's verified token; null: the server itself asks for the user.
  std::shared_ptr<const identity> who;
};

/// A message that was found, by a piece of it or (id 0) as a whole.
struct memory_place {
  message_id message;
  embedding_id piece;
};

/// Those of the places that the owner sees and that still are as they were found: the
/// index of each, and its message. Scores are 0.
struct memory_text {
  std::size_t place = 0;
  found_memory what;
};
[[nodiscard]] result<std::vector<memory_text>>
read_memories(connection& db, const memory_owner& whose,
              std::span<const memory_place> places);

/// The nearest messages by pgvector, best first, as the index would find them: none
/// below `min_score`, each message once. `model` is a name; empty: the one that is
/// searched by. No hits: there is no such model.
[[nodiscard]] result<std::vector<memory_hit>>
nearest_memories(connection& db, const memory_owner& whose, std::string_view model,
                 std::span<const float> vector, const memory_filter& filter,
                 std::size_t k, float min_score);

/// A message that has words of a question.
struct worded_memory {
  message_id message;
  float match = 0; ///< 0 to 1: how much of what the question names it has

  friend bool operator==(const worded_memory&, const worded_memory&) = default;
};

/// The messages that have words of the text, best first; `language` is the name of a
/// text search configuration. Looks at the owner's newest few thousand messages.
///
/// Each word weighs ln(1 + n / messages that have it), of n; one that none has as a
/// word of one message. `match` is the weight
/// of the names that the message has, and a sixth of that of its other words, as a
/// share of the weight of all words of the text. Names have no meaning that a vector
/// would know: numbers, codes, addresses; a word alone; and words that the messages
/// never write in lower case, but with a capital within a sentence, there or in the
/// text.
[[nodiscard]] result<std::vector<worded_memory>>
memories_with_words(connection& db, const memory_owner& whose,
                    std::string_view language, const std::string& text,
                    const memory_filter& filter, std::size_t k);

} // namespace jessica::storage
