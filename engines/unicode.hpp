// What the embedder's texts need of Unicode; the only place that knows ICU. Broken
// UTF-8 becomes U+FFFD. Pure, any thread.
#pragma once

#include <string>
#include <string_view>

namespace jessica::engines {

/// The compatibility form: ligatures, full-width letters and the like become plain.
[[nodiscard]] std::string nfkc(std::string_view text);

/// Of every script, by the rules of no particular language.
[[nodiscard]] std::string lower_case(std::string_view text);

/// Letters without their marks: "é" is "e".
[[nodiscard]] std::string without_accents(std::string_view text);

[[nodiscard]] bool is_white_space(char32_t c);
[[nodiscard]] bool is_letter(char32_t c);
[[nodiscard]] bool is_lower_case(char32_t c);
[[nodiscard]] bool is_punctuation(char32_t c); ///< Unicode's; not "$", "+", "<"

/// Control characters, line ends among them.
[[nodiscard]] bool is_control(char32_t c);

/// Takes no room and joins no text: zero-width characters, byte order marks, marks of
/// direction, variation selectors.
[[nodiscard]] bool is_invisible(char32_t c);

/// Has no meaning of its own in text: control, format, private and unassigned ones.
[[nodiscard]] bool is_other(char32_t c);

} // namespace jessica::engines
