#include "engines/clean_text.hpp"

#include "domain/utf8.hpp"
#include "engines/unicode.hpp"

namespace jessica::engines {
namespace {

/// Calls `take` with each code point and its bytes.
template <class Take> void each_code_point(std::string_view text, Take take) {
  while (!text.empty()) {
    const auto c = first_code_point(text);
    take(c.value, text.substr(0, c.size));
    text.remove_prefix(c.size);
  }
}

[[nodiscard]] std::string visible(std::string_view text) {
  auto kept = std::string{};
  kept.reserve(text.size());
  each_code_point(text, [&](char32_t c, std::string_view bytes) {
    if (c < 0x80 || !is_invisible(c))
      kept += bytes;
  });
  return kept;
}

[[nodiscard]] bool separates(char32_t c) {
  constexpr auto last_control = U'\x1f';
  constexpr auto deleted = U'\x7f';
  if (c < 0x80)
    return c == U' ' || c <= last_control || c == deleted;
  return is_white_space(c) || is_control(c);
}

[[nodiscard]] std::string with_single_spaces(std::string_view text) {
  auto made = std::string{};
  made.reserve(text.size());
  auto waits = false; // a space, for the next character that is none
  each_code_point(text, [&](char32_t c, std::string_view bytes) {
    if (separates(c)) {
      waits = !made.empty();
      return;
    }
    if (waits)
      made += ' ';
    waits = false;
    made += bytes;
  });
  return made;
}

[[nodiscard]] bool is_shouted(std::string_view text) {
  auto letters = false;
  auto lower = false;
  each_code_point(text, [&](char32_t c, std::string_view) {
    letters = letters || is_letter(c);
    lower = lower || is_lower_case(c);
  });
  return letters && !lower;
}

} // namespace

std::string clean_text(std::string_view text, const cleaning& how) {
  auto cleaned =
      how.whitespace ? with_single_spaces(nfkc(visible(text))) : std::string{text};
  if (how.lower_if_all_caps && is_shouted(cleaned))
    return lower_case(cleaned);
  return cleaned;
}

} // namespace jessica::engines
