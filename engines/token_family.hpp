// Counts the tokens of a text without the model's tokenizer. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace jessica::engines {

/// Kinds of vocabularies, by what they make of a text.
enum class token_family : std::uint8_t {
  wide,    ///< 100,000 pieces and more, of many languages: o200k, Llama 3, Qwen, Gemma
  western, ///< as many, of few languages: cl100k (GPT-4, GPT-3.5)
  narrow   ///< some 32,000, and bytes for the rest: Llama 2, Mistral, Phi-3
};

/// Of a model, by its name; of one that is not known: narrow, which counts most.
[[nodiscard]] token_family family_of(std::string_view model) noexcept;

/// An estimate, rather too high: 0.95 to 1.5 of what the tokenizers say of prose and
/// code in languages they know well, up to 2.2 of others; down to 0.65 of text without
/// words, as base64.
[[nodiscard]] std::size_t estimated_tokens(std::string_view text, token_family family);

} // namespace jessica::engines
