// Rows of public.embeddings as the node's index takes them: read by id, by user, or
// from the log.
#pragma once

#include "domain/error.hpp"
#include "domain/memory_search.hpp"
#include "storage/change.hpp"
#include "storage/connection.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::storage {

/// Those of the ids that are there now, as pieces of the model. Role: engine.
[[nodiscard]] result<std::vector<embedded_piece>>
load_pieces(connection& db, const memory_model& model,
            std::span<const embedding_id> ids);

/// The user's first `most` pieces behind `after`, by id. Role: engine.
[[nodiscard]] result<std::vector<embedded_piece>>
load_pieces_of(connection& db, const memory_model& model, const user_id& user,
               embedding_id after, std::size_t most);

[[nodiscard]] bool is_embeddings(const table_shape& table) noexcept;

/// The piece that an inserted row is. nullopt: it is another model's. Fails:
/// invalid_input (a vector of another size, or fields that make no sense).
[[nodiscard]] result<std::optional<embedded_piece>> piece_of(const row_change& change,
                                                             const memory_model& model);
/// Which row was removed; nullopt: the log does not say.
[[nodiscard]] std::optional<owned_embedding> removed_by(const row_change& change);

/// A vector in pgvector's text form; nullopt: it is none.
[[nodiscard]] std::optional<std::vector<float>> read_vector(std::string_view text);
/// The same of the binary form, in hexadecimal after "\x".
[[nodiscard]] std::optional<std::vector<float>> read_vector_bytes(std::string_view hex);
/// As SQL takes it.
[[nodiscard]] std::string vector_literal(std::span<const float> vector);

} // namespace jessica::storage
