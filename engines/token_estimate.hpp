// Counts tokens without the model's tokenizer, rather too many than too few. Pure.
#pragma once

#include <cstddef>
#include <string_view>

namespace jessica::engines {

/// Four letters or digits of ASCII are a token, any other character is one of its own;
/// spaces are free.
[[nodiscard]] std::size_t estimated_tokens(std::string_view text);

/// The longest start of a text that has at most `most` of them.
[[nodiscard]] std::string_view start_within(std::string_view text, std::size_t most);

} // namespace jessica::engines
