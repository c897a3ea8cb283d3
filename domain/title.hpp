// A conversation's title, as a language model writes it and as a list shows it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace jessica {

/// Characters of a title, as the first words of a message become one, too.
inline constexpr auto most_title_characters = std::size_t{80};

/// The first line with words in it, without what models put around a title: "Title:",
/// quotation marks, marks of emphasis, a full stop. One line of at most
/// most_title_characters; empty: there is no title in it. `text` is valid UTF-8.
[[nodiscard]] std::string clean_title(std::string_view text);

} // namespace jessica
