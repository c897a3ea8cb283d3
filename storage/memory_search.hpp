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

/// The messages that have words of the text, best first; `language` is the name of a
/// text search configuration. Looks at the owner's newest few thousand messages.
[[nodiscard]] result<std::vector<message_id>>
memories_with_words(connection& db, const memory_owner& whose,
                    std::string_view language, const std::string& text,
                    const memory_filter& filter, std::size_t k);

} // namespace jessica::storage
