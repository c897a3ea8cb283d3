// The body of embed-generator, and its answers.
#pragma once

#include "domain/error.hpp"
#include "domain/ids.hpp"
#include "domain/lsn.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::wire {

struct embed_limits {
  std::size_t texts = 0; ///< of one request
  std::size_t bytes = 0; ///< of one text
};

/// Either texts or a message.
struct embed_request {
  std::vector<std::string> texts;
  bool query = false; ///< the texts are searched for, not found
  std::optional<message_id> message;
  bool deleted = false; ///< the webhook tells of its end
};

/// {text} or {texts}, with purpose?: "query" or "document"; {message_id}; or what a
/// database webhook on `messages` sends: {type, table, record, old_record}. Fails:
/// invalid_input naming the field, too_large.
[[nodiscard]] result<embed_request> read_embed(std::string_view json,
                                               embed_limits limits);

/// {model, dim, embeddings}. At least one vector.
[[nodiscard]] std::string embeddings_json(std::string_view model,
                                          std::span<const std::vector<float>> vectors);
/// {message_id, chunks, lsn?}.
[[nodiscard]] std::string embedded_json(message_id message, std::size_t pieces,
                                        lsn position);

} // namespace jessica::wire
