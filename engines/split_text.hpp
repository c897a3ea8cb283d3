// Cuts long texts where a reader would: between paragraphs, sentences, words. Pure.
#pragma once

#include "engines/embedder.hpp"

#include <cstddef>
#include <functional>
#include <string_view>
#include <vector>

namespace jessica::engines {

struct split_rules {
  std::size_t most = 1;    ///< tokens of a piece, at least 1
  std::size_t overlap = 0; ///< tokens of a piece that the next one repeats, at most
  std::function<std::size_t(std::string_view)> count; ///< tokens of a text
};

/// As embedder::split() promises; with an overlap pieces begin before the previous one
/// ends. A piece ends where a paragraph does if that fills a quarter of it, else where
/// a sentence does, else between words; a word that is too long is cut between
/// characters.
[[nodiscard]] std::vector<text_chunk> split_text(std::string_view text,
                                                 const split_rules& rules);

} // namespace jessica::engines
