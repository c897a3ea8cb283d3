// Texts on their way to vectors: what waits, who has it, what is stored. The rules
// stand in migrations/20240101000003_memory.sql. Role: engine.
#pragma once

#include "domain/error.hpp"
#include "domain/identity.hpp"
#include "domain/ids.hpp"
#include "domain/lsn.hpp"
#include "storage/connection.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::storage {

/// A row of embedding_models.
struct model_number {
  std::int16_t value = 0;
  friend bool operator==(const model_number&, const model_number&) = default;
};

/// From now on texts are embedded with this model; which others were, is forgotten.
/// Fails: invalid_input (the name is known with another size), overloaded (messages are
/// being written all the time: try again).
[[nodiscard]] result<model_number> use_model(connection& db, std::string_view name,
                                             std::size_t dimensions);

/// The number of this model while it is the one in use; nullopt: it is not.
[[nodiscard]] result<std::optional<model_number>>
find_used_model(connection& db, std::string_view name);

/// The model that searches go by: once every text has its vectors the one in use, until
/// then the one before, if there was one.
struct searched_model {
  model_number number;
  std::string name; ///< engines::embedder_traits::id
  std::size_t dimensions = 0;
};
[[nodiscard]] result<std::optional<searched_model>> find_searched_model(connection& db);

/// The work of one text.
struct text_place {
  std::int16_t rank = 0; ///< 0: written since the model is used; 1: before
  std::int64_t seq = 0;  ///< the message's
};
/// A text that was taken, and by whom it may be ended.
struct text_work {
  text_place place;
  std::int32_t version = 0; ///< of the text
  std::int32_t attempt = 0; ///< from 1
  message_id message;
  std::string text;
};

struct text_claim {
  model_number model;
  std::string node;              ///< whose work is free again when its lease is swept
  std::size_t want = 0;          ///< at most, of texts that were just written
  std::size_t want_old = 0;      ///< at most, of others, when none of those waits
  std::chrono::seconds lease{0}; ///< whoever takes longer may find it taken again
};

/// Fails: unavailable (another model is used by now), as all below.
[[nodiscard]] result<std::vector<text_work>> claim_texts(connection& db,
                                                         const text_claim& wish);
/// One text out of turn; nullopt: there is no such text.
[[nodiscard]] result<std::optional<text_work>>
take_text(connection& db, const text_claim& wish, message_id message);

/// A piece of a text: bytes [begin, end) of it.
struct piece_vector {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::vector<float> vector;
};
/// All pieces of a text; none: it has no words.
struct text_vectors {
  text_place place;
  std::int32_t version = 0;
  std::vector<piece_vector> pieces;
};

/// Stores all vectors of the texts in one transaction, in place of what was there, and
/// ends their work. False: stale; the text was changed, deleted, or is being so, or
/// somebody else was quicker. Vectors have the model's size.
[[nodiscard]] result<std::vector<bool>>
store_embeddings(connection& db, model_number model,
                 std::span<const text_vectors> texts);

/// How many vectors of this model the message has, of its text as it is now.
[[nodiscard]] result<std::size_t> count_vectors(connection& db, model_number model,
                                                message_id message);

struct text_failure {
  text_place place;
  std::int32_t version = 0;
  std::int32_t attempt = 0;
  std::string what;
  bool retryable = true;
};
/// Again after a growing pause, or a dead job after five attempts; how many died.
[[nodiscard]] result<std::int64_t> fail_texts(connection& db,
                                              std::span<const text_failure> failures);
/// Due again after a pause; no attempt is counted.
[[nodiscard]] result<void> release_texts(connection& db,
                                         std::span<const text_work> texts,
                                         std::chrono::milliseconds pause);

enum class old_texts : std::uint8_t {
  more,     ///< not all were looked at
  waiting,  ///< they were; some wait or are being embedded
  complete, ///< all have their vectors
};
/// Looks at the next `want` messages that were there before the model; what lacks
/// vectors waits from now on.
[[nodiscard]] result<old_texts> queue_old_texts(connection& db, model_number model,
                                                std::size_t want);
/// Looks at the next `want` embeddings, removes those of models that are not searched
/// any more. False: there are none left to look at.
[[nodiscard]] result<bool> drop_old_embeddings(connection& db, model_number model,
                                               std::size_t want);

struct text_backlog {
  std::int64_t waiting = 0;  ///< counted up to 10,000
  double oldest_seconds = 0; ///< of the fresh ones
};
[[nodiscard]] result<text_backlog> count_waiting_texts(connection& db);

/// May the asker see the message? Role of the connection: requests.
[[nodiscard]] result<bool> sees_message(connection& db, const identity& who,
                                        message_id message);
/// A place in the log behind everything whose commit waited for the disk and ended
/// before this call; the log is written to there.
[[nodiscard]] result<lsn> log_position(connection& db);

} // namespace jessica::storage
