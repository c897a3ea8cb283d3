// Answers by extraction: finds in earlier messages what a question is about. Pure,
// works on any language's text, bounded whatever the size of the messages.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::engines {

/// The words a text is about, in order, each once, lower case: short and frequent
/// English words are left out; scripts without spaces count as pairs of characters.
[[nodiscard]] std::vector<std::string> keywords(std::string_view text);

/// A text on one line: blanks folded, broken bytes replaced, at most `words` words and
/// `bytes` bytes (then "…"), never cut inside a code point.
[[nodiscard]] std::string excerpt(std::string_view text, std::size_t words,
                                  std::size_t bytes);

/// The sentences of `texts` that share the most telling words with the question, in
/// the order in which they were said; at most `most`. A word tells more the fewer
/// sentences have it.
[[nodiscard]] std::vector<std::string_view>
best_sentences(std::span<const std::string_view> texts, std::string_view question,
               std::size_t most);

} // namespace jessica::engines
