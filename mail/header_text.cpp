#include "mail/header_text.hpp"

#include <algorithm>
#include <cstddef>
#include <format>

namespace jessica::mail {
namespace {

constexpr auto longest_address = std::size_t{255};
/// Of the text in one encoded word: it is at most 75 characters, base64 takes four
/// thirds. A multiple of 3.
constexpr auto word_bytes = std::size_t{42};
constexpr auto line_length = std::size_t{76};

[[nodiscard]] bool is_visible(char c) noexcept {
  return c > ' ' && c < '\x7f';
}

[[nodiscard]] bool is_control(char c) noexcept {
  return (c >= '\0' && c < ' ') || c == '\x7f';
}

[[nodiscard]] bool is_plain(std::string_view text) noexcept {
  return std::ranges::all_of(text, [](char c) { return c == ' ' || is_visible(c); }) &&
         !text.contains("=?");
}

/// Where a piece of at most `most` bytes may end without cutting a character.
[[nodiscard]] std::size_t whole_characters(std::string_view text, std::size_t most) {
  constexpr auto kind_bits = 0xc0U;
  constexpr auto continuation = 0x80U;
  if (text.size() <= most)
    return text.size();
  auto end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & kind_bits) == continuation)
    --end;
  return end == 0 ? most : end;
}

[[nodiscard]] std::string base64(std::string_view text) {
  constexpr auto digits = std::string_view{
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"};
  constexpr auto group = std::size_t{3};
  auto made = std::string{};
  for (auto at = std::size_t{0}; at < text.size(); at += group) {
    const auto have = std::min(group, text.size() - at);
    auto bits = 0U;
    for (auto i = std::size_t{0}; i < group; ++i)
      bits = bits << 8U | (i < have ? static_cast<unsigned char>(text[at + i]) : 0U);
    for (auto i = std::size_t{0}; i <= group; ++i)
      made += i <= have ? digits[bits >> (6U * (group - i)) & 63U] : '=';
  }
  return made;
}

[[nodiscard]] std::string quoted(std::string_view text) {
  auto made = std::string{'"'};
  for (const auto c : text) {
    if (c == '"' || c == '\\')
      made += '\\';
    made += c;
  }
  return made + '"';
}

} // namespace

bool is_address(std::string_view text) noexcept {
  constexpr auto separators = std::string_view{"<>()[],;:\\\""};
  const auto at = text.find('@');
  return text.size() <= longest_address && at != std::string_view::npos && at > 0 &&
         at + 1 < text.size() && text.find('@', at + 1) == std::string_view::npos &&
         std::ranges::all_of(
             text, [&](char c) { return is_visible(c) && !separators.contains(c); });
}

std::string header_text(std::string_view utf8) {
  auto text = std::string{utf8};
  std::ranges::replace_if(text, is_control, ' ');
  if (is_plain(text))
    return text;
  auto words = std::string{};
  for (auto rest = std::string_view{text}; !rest.empty();) {
    const auto piece = rest.substr(0, whole_characters(rest, word_bytes));
    words += words.empty() ? "" : "\r\n ";
    words += "=?utf-8?B?" + base64(piece) + "?=";
    rest.remove_prefix(piece.size());
  }
  return words;
}

std::string mailbox(std::string_view name, std::string_view address) {
  if (name.empty())
    return std::string{address};
  auto shown = header_text(name);
  if (!shown.starts_with("=?"))
    shown = quoted(shown);
  return shown + " <" + std::string{address} + '>';
}

std::string quoted_printable(std::string_view text) {
  auto made = std::string{};
  auto column = std::size_t{0};
  for (auto at = std::size_t{0}; at < text.size(); ++at) {
    const auto c = text[at];
    if (c == '\n') {
      made += "\r\n";
      column = 0;
      continue;
    }
    const auto ends_line = at + 1 == text.size() || text[at + 1] == '\n';
    const auto as_it_is = (is_visible(c) && c != '=') || (c == ' ' && !ends_line);
    const auto piece = as_it_is ? std::string{c}
                                : std::format("={:02X}", static_cast<unsigned char>(c));
    if (column + piece.size() >= line_length) { // one place is the soft line end's
      made += "=\r\n";
      column = 0;
    }
    made += piece;
    column += piece.size();
  }
  return made;
}

std::string html_text(std::string_view text) {
  auto made = std::string{};
  for (const auto c : text) {
    switch (c) {
    case '&':
      made += "&amp;";
      break;
    case '<':
      made += "&lt;";
      break;
    case '>':
      made += "&gt;";
      break;
    case '"':
      made += "&quot;";
      break;
    case '\'':
      made += "&#39;";
      break;
    default:
      made += c;
    }
  }
  return made;
}

} // namespace jessica::mail
