// A batch of texts and what an embedder makes of it.
#pragma once

#include "domain/error.hpp"
#include "engines/embedder.hpp"
#include "storage/embeddings.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace jessica::actors {

/// Every text of the batch is in one of the three.
struct embedded_batch {
  std::vector<storage::text_vectors> ready;
  std::vector<storage::text_failure> failed; ///< the text's own fault, as far as known
  std::vector<storage::text_work> unserved;  ///< because of `away`
  std::optional<error> away; ///< the embedder does not work now, for no text
};

/// Splits the texts, embeds the pieces, like lengths together, at most `run` at once; a
/// run that fails for its texts is repeated one by one, so that one bad text spoils no
/// other. Blocks.
[[nodiscard]] embedded_batch embed_batch(const engines::embedder& with,
                                         std::vector<storage::text_work> texts,
                                         std::size_t run);

/// Is it an embedder's or a database's failure to answer at all, whatever it was asked?
[[nodiscard]] bool is_away(const error& why) noexcept;

/// embed(), and what comes is one vector of length 1 a text: else internal.
[[nodiscard]] result<std::vector<std::vector<float>>>
embed_checked(const engines::embedder& with, std::span<const std::string> texts,
              engines::text_purpose purpose);

} // namespace jessica::actors
