#include "engines/wordpiece_tokenizer.hpp"

#include "domain/utf8.hpp"
#include "engines/unicode.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace jessica::engines {
namespace {

struct range {
  char32_t first;
  char32_t last;
};

/// Ideographs as BERT counts them; not kana, not hangul.
constexpr auto ideographs = std::array{
    range{0x4e00, 0x9fff},   range{0x3400, 0x4dbf},   range{0x20000, 0x2a6df},
    range{0x2a700, 0x2b73f}, range{0x2b740, 0x2b81f}, range{0x2b820, 0x2ceaf},
    range{0xf900, 0xfaff},   range{0x2f800, 0x2fa1f},
};

[[nodiscard]] bool is_ideograph(char32_t c) {
  return std::ranges::any_of(
      ideographs, [c](const range& one) { return c >= one.first && c <= one.last; });
}

/// BERT's: ASCII symbols as well.
[[nodiscard]] bool stands_alone(char32_t c) {
  if (c < 0x80)
    return (c >= U'!' && c <= U'/') || (c >= U':' && c <= U'@') ||
           (c >= U'[' && c <= U'`') || (c >= U'{' && c <= U'~');
  return is_punctuation(c);
}

[[nodiscard]] bool is_dropped(char32_t c) {
  const auto blank = c == U'\t' || c == U'\n' || c == U'\r';
  return c == 0 || c == U'\uFFFD' || (!blank && is_other(c));
}

[[nodiscard]] std::size_t characters_of(std::string_view word) {
  return static_cast<std::size_t>(std::ranges::count_if(
      word, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

/// Calls `take` with each word: what white space and punctuation leave, and each
/// punctuation mark.
template <class Take> void each_word(std::string_view text, Take take) {
  auto begin = std::size_t{0};
  auto at = std::size_t{0};
  const auto end_word = [&] {
    if (begin < at)
      take(text.substr(begin, at - begin));
  };
  while (at < text.size()) {
    const auto c = first_code_point(text.substr(at));
    const auto alone = stands_alone(c.value);
    if (alone || is_white_space(c.value)) {
      end_word();
      if (alone)
        take(text.substr(at, c.size));
      begin = at + c.size;
    }
    at += c.size;
  }
  end_word();
}

} // namespace

wordpiece_tokenizer::wordpiece_tokenizer(piece_ids pieces, wordpiece_options how)
    : pieces_{std::move(pieces)}, how_{std::move(how)} {
  const auto unknown = pieces_.find(how_.unknown);
  unknown_ = unknown == pieces_.end() ? 0 : unknown->second;
  for (const auto& [piece, id] : pieces_) {
    highest_ = std::max(highest_, id);
    longest_piece_ = std::max(longest_piece_, piece.size());
  }
}

std::string wordpiece_tokenizer::prepared(std::string_view text) const {
  auto made = std::string{};
  made.reserve(text.size());
  while (!text.empty()) {
    const auto c = first_code_point(text);
    const auto bytes = text.substr(0, c.size);
    text.remove_prefix(c.size);
    if (how_.clean_text && is_dropped(c.value))
      continue;
    if (how_.clean_text && is_white_space(c.value))
      made += ' ';
    else if (how_.chinese_chars && is_ideograph(c.value))
      made.append(" ").append(bytes).append(" ");
    else
      made += bytes;
  }
  if (how_.strip_accents)
    made = without_accents(made);
  return how_.lowercase ? lower_case(made) : made;
}

void wordpiece_tokenizer::append_word(std::string_view word,
                                      std::vector<token_id>& to) const {
  const auto before = to.size();
  if (characters_of(word) > how_.max_chars_per_word) {
    to.push_back(unknown_);
    return;
  }
  auto key = std::string{};
  for (auto rest = word; !rest.empty();) {
    const auto inside = rest.size() < word.size();
    auto taken = std::size_t{0};
    for (auto part = cut_utf8(rest, longest_piece_); !part.empty();
         part = cut_utf8(part, part.size() - 1)) {
      key.assign(inside ? how_.continuing : "").append(part);
      if (const auto found = pieces_.find(key); found != pieces_.end()) {
        to.push_back(found->second);
        taken = part.size();
        break;
      }
    }
    if (taken == 0) { // then the whole word is unknown
      to.resize(before);
      to.push_back(unknown_);
      return;
    }
    rest.remove_prefix(taken);
  }
}

std::vector<token_id> wordpiece_tokenizer::encode(std::string_view text) const {
  const auto words = prepared(text);
  auto ids = std::vector<token_id>{};
  each_word(words, [&](std::string_view word) { append_word(word, ids); });
  return ids;
}

} // namespace jessica::engines
