// A text embedder: texts in, unit vectors out. Blocks; the implementations are a local
// model and an OpenAI-compatible server.
#pragma once

#include "domain/error.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::engines {

/// What a text is for: some models want different words before it.
enum class text_purpose : std::uint8_t { query, document };

struct embedder_traits {
  std::string id;             ///< stored with the vectors: names model and weights
  std::size_t dimensions = 0; ///< of every vector
  std::size_t max_tokens = 0; ///< of one text; what is behind them is not seen
  float match_threshold = 0;  ///< least cosine of texts that mean the same
};

/// A part of a text that fits the model: bytes [begin, end) of it.
struct text_chunk {
  std::size_t begin = 0;
  std::size_t end = 0;

  friend bool operator==(const text_chunk&, const text_chunk&) = default;
};

/// All members may be called from several threads at once.
class embedder {
public:
  virtual ~embedder() = default;
  [[nodiscard]] virtual const embedder_traits& traits() const noexcept = 0;

  /// One vector of length 1 a text, in order; the same text gives the same vector
  /// whatever stands beside it, up to rounding. Texts are valid UTF-8 of any length;
  /// none gives none. Fails: unavailable, overloaded, timeout (a server that may answer
  /// later), invalid_input (a server refuses one of the texts: smaller batches find
  /// it), internal (what came is no vector: wrong size, NaN, zero, too few).
  [[nodiscard]] virtual result<std::vector<std::vector<float>>>
  embed(std::span<const std::string> texts, text_purpose purpose) const = 0;

  /// Cuts a text into pieces of at most max_tokens, where possible between paragraphs,
  /// else sentences, else words. Pieces are in order, together hold everything but
  /// white space, and none is empty; a text without any word has no piece. A model set
  /// to truncate long texts has one piece of each.
  [[nodiscard]] virtual std::vector<text_chunk> split(std::string_view text) const = 0;

  /// Tokens of a text as this model counts them: for grouping texts by length.
  [[nodiscard]] virtual std::size_t count_tokens(std::string_view text) const = 0;

  /// From now on calls fail with unavailable, those under way soon: a wait for a server
  /// ends, a local model ends the batch that it has begun.
  virtual void stop() noexcept {}
};

} // namespace jessica::engines
