#include "engines/unigram_tokenizer.hpp"

#include "domain/utf8.hpp"
#include "engines/unicode.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace jessica::engines {
namespace {

constexpr auto space_mark = std::string_view{"\xe2\x96\x81"}; // U+2581
constexpr auto unknown_penalty = 10.0F;                       // as SentencePiece has it

[[nodiscard]] std::vector<bool> matchable(const unigram_vocabulary& words) {
  auto may = std::vector<bool>(words.pieces.size(), true);
  const auto forbid = [&](token_id id) {
    if (id >= 0 && static_cast<std::size_t>(id) < may.size())
      may[static_cast<std::size_t>(id)] = false;
  };
  forbid(words.unknown);
  std::ranges::for_each(words.special, forbid);
  return may;
}

[[nodiscard]] piece_trie trie_of(const unigram_vocabulary& words) {
  const auto may = matchable(words);
  auto pieces = std::vector<std::pair<std::string, token_id>>{};
  pieces.reserve(words.pieces.size());
  for (auto row = std::size_t{0}; row < words.pieces.size(); ++row)
    if (may[row])
      pieces.emplace_back(words.pieces[row].text, static_cast<token_id>(row));
  return piece_trie{std::move(pieces)};
}

/// The likeliest way to a place in the text, and its last piece.
struct way {
  float score = 0;
  token_id last = -1;
  std::size_t from = 0;
  bool found = false;

  void offer(float other, token_id piece, std::size_t start) {
    if (!found || other > score)
      *this = {other, piece, start, true};
  }
};

[[nodiscard]] std::vector<token_id> walk_back(const std::vector<way>& ways,
                                              token_id unknown) {
  auto ids = std::vector<token_id>{};
  for (auto at = ways.size() - 1; at > 0; at = ways[at].from) {
    const auto id = ways[at].last;
    if (id != unknown || ids.empty() || ids.back() != unknown)
      ids.push_back(id);
  }
  std::ranges::reverse(ids);
  return ids;
}

} // namespace

unigram_tokenizer::unigram_tokenizer(const unigram_vocabulary& words,
                                     unigram_options how)
    : how_{how}, unknown_{words.unknown}, pieces_{trie_of(words)} {
  const auto may = matchable(words);
  auto least = 0.0F;
  for (auto row = std::size_t{0}; row < words.pieces.size(); ++row) {
    scores_.push_back(words.pieces[row].score);
    if (may[row])
      least = std::min(least, words.pieces[row].score);
  }
  unknown_score_ = least - unknown_penalty;
}

std::string unigram_tokenizer::prepared(std::string_view text) const {
  auto normal = how_.nfkc ? nfkc(text) : std::string{text};
  if (how_.lowercase)
    normal = lower_case(normal);
  auto marked = std::string{};
  if (normal.empty())
    return marked;
  if (how_.space_in_front)
    marked = space_mark;
  for (const auto c : normal)
    if (c == ' ')
      marked += space_mark;
    else
      marked += c;
  return marked;
}

std::vector<token_id> unigram_tokenizer::encode(std::string_view text) const {
  const auto marked = prepared(text);
  auto ways = std::vector<way>(marked.size() + 1);
  for (auto at = std::size_t{0}; at < marked.size();) {
    const auto rest = std::string_view{marked}.substr(at);
    const auto size = first_code_point(rest).size;
    const auto so_far = ways[at].score;
    auto known = false;
    pieces_.each_prefix(rest, [&](std::size_t bytes, token_id id) {
      const auto score = so_far + scores_[static_cast<std::size_t>(id)];
      ways[at + bytes].offer(score, id, at);
      known = known || bytes == size;
    });
    if (!known)
      ways[at + size].offer(so_far + unknown_score_, unknown_, at);
    at += size;
  }
  return walk_back(ways, unknown_);
}

token_id unigram_tokenizer::highest_id() const noexcept {
  return static_cast<token_id>(scores_.size()) - 1;
}

} // namespace jessica::engines
