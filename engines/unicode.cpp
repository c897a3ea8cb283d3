#include "engines/unicode.hpp"

#include "domain/utf8.hpp"

#include <unicode/bytestream.h>
#include <unicode/casemap.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>

#include <algorithm>
#include <cstdint>

namespace jessica::engines {
namespace {

[[nodiscard]] bool is_ascii(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

[[nodiscard]] icu::StringPiece piece_of(std::string_view text) {
  return {text.data(), static_cast<std::int32_t>(text.size())};
}

/// ICU's data are part of its library: without them nothing of this works, and text
/// stays as it is.
[[nodiscard]] std::string normal(const icu::Normalizer2* form, std::string_view text) {
  auto status = U_ZERO_ERROR;
  auto made = std::string{};
  auto into = icu::StringByteSink<std::string>{&made};
  if (form != nullptr)
    form->normalizeUTF8(0, piece_of(text), into, nullptr, status);
  return form == nullptr || U_FAILURE(status) != 0 ? std::string{text} : made;
}

[[nodiscard]] UChar32 of(char32_t c) {
  return static_cast<UChar32>(c);
}

} // namespace

std::string nfkc(std::string_view text) {
  if (is_ascii(text))
    return std::string{text};
  auto status = U_ZERO_ERROR;
  return normal(icu::Normalizer2::getNFKCInstance(status), text);
}

std::string lower_case(std::string_view text) {
  auto status = U_ZERO_ERROR;
  auto made = std::string{};
  auto into = icu::StringByteSink<std::string>{&made};
  icu::CaseMap::utf8ToLower("", 0, piece_of(text), into, nullptr, status);
  return U_FAILURE(status) != 0 ? std::string{text} : made;
}

std::string without_accents(std::string_view text) {
  if (is_ascii(text))
    return std::string{text};
  auto status = U_ZERO_ERROR;
  const auto apart = normal(icu::Normalizer2::getNFDInstance(status), text);
  auto kept = std::string{};
  for (auto rest = std::string_view{apart}; !rest.empty();) {
    const auto c = first_code_point(rest);
    if (u_charType(of(c.value)) != U_NON_SPACING_MARK)
      kept += rest.substr(0, c.size);
    rest.remove_prefix(c.size);
  }
  return kept;
}

bool is_white_space(char32_t c) {
  return u_isUWhiteSpace(of(c)) != 0;
}

bool is_letter(char32_t c) {
  return u_isalpha(of(c)) != 0;
}

bool is_lower_case(char32_t c) {
  return u_islower(of(c)) != 0;
}

bool is_punctuation(char32_t c) {
  return u_ispunct(of(c)) != 0;
}

bool is_control(char32_t c) {
  return u_charType(of(c)) == U_CONTROL_CHAR;
}

bool is_invisible(char32_t c) {
  return u_charType(of(c)) == U_FORMAT_CHAR ||
         u_hasBinaryProperty(of(c), UCHAR_VARIATION_SELECTOR) != 0;
}

bool is_other(char32_t c) {
  constexpr auto others = U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CO_MASK | U_GC_CN_MASK;
  return (U_GET_GC_MASK(of(c)) & others) != 0;
}

} // namespace jessica::engines
