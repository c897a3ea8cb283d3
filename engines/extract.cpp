#include "engines/extract.hpp"

#include "domain/utf8.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace jessica::engines {
namespace {

/// Sentences looked at in one conversation: a bound on the work, not on what is said.
constexpr auto max_sentences = std::size_t{1000};

constexpr auto frequent = std::array<std::string_view, 89>{
    "about", "again",  "all",    "also",  "and",   "any",   "are",    "because",
    "been",  "but",    "can",    "could", "did",   "does",  "doing",  "done",
    "each",  "else",   "ever",   "for",   "from",  "get",   "give",   "going",
    "got",   "had",    "has",    "have",  "hello", "her",   "here",   "him",
    "his",   "how",    "into",   "its",   "just",  "know",  "let",    "like",
    "made",  "make",   "many",   "may",   "mean",  "more",  "most",   "much",
    "must",  "need",   "not",    "now",   "off",   "one",   "only",   "our",
    "out",   "please", "really", "said",  "say",   "she",   "should", "some",
    "such",  "tell",   "than",   "that",  "the",   "their", "them",   "then",
    "there", "these",  "they",   "this",  "very",  "was",   "were",   "what",
    "when",  "where",  "which",  "who",   "why",   "will",  "with",   "you",
    "your"};
static_assert(std::ranges::is_sorted(frequent));

bool is_between(char32_t c, char32_t first, char32_t last) {
  return c >= first && c <= last;
}

/// Scripts that are written without spaces between words.
bool is_unspaced(char32_t c) {
  return is_between(c, 0x0e00, 0x0eff) || is_between(c, 0x3040, 0x30ff) ||
         is_between(c, 0x3400, 0x9fff) || is_between(c, 0x20000, 0x3134f);
}

bool is_letter(char32_t c) {
  if (c < 0x80)
    return is_between(c, U'a', U'z') || is_between(c, U'A', U'Z') ||
           is_between(c, U'0', U'9') || c == U'_';
  // Latin-1 signs, general punctuation and symbols, CJK and full-width punctuation.
  return c >= 0xc0 && c != 0xd7 && c != 0xf7 && !is_between(c, 0x2000, 0x2bff) &&
         !is_between(c, 0x3000, 0x303f) && !is_between(c, 0xfe00, 0xfe0f) &&
         !is_between(c, 0xff00, 0xff0f) && c != 0xff1a && c != 0xff1b && c != 0xff1f &&
         c != 0xfffd;
}

/// Enough for keywords to match: Latin, Greek and Cyrillic capitals.
char32_t lowered(char32_t c) {
  if (is_between(c, U'A', U'Z') || is_between(c, 0xc0, 0xde) ||
      is_between(c, 0x391, 0x3a9) || is_between(c, 0x410, 0x42f))
    return c + 0x20;
  return is_between(c, 0x400, 0x40f) ? c + 0x50 : c;
}

void append(std::string& out, char32_t c) {
  const auto tail = [&](unsigned shift) {
    out += static_cast<char>(0x80U | ((c >> shift) & 0x3fU));
  };
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xc0U | (c >> 6U));
    tail(0);
  } else if (c < 0x10000) {
    out += static_cast<char>(0xe0U | (c >> 12U));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xf0U | (c >> 18U));
    tail(12);
    tail(6);
    tail(0);
  }
}

bool is_telling(const std::string& word, std::size_t letters) {
  constexpr auto short_word = std::size_t{3};
  const auto number = word.front() >= '0' && word.front() <= '9';
  const auto emoji = static_cast<unsigned char>(word.front()) >= 0xf0;
  return (letters >= short_word || number || emoji) &&
         !std::ranges::binary_search(frequent, word);
}

/// Collects words from code points.
class word_reader {
public:
  void take(char32_t c) {
    if (!is_letter(c))
      return end_word();
    if (!is_unspaced(c)) {
      if (previous_ != 0)
        end_word();
      append(word_, lowered(c));
      ++letters_;
      return;
    }
    if (previous_ == 0)
      end_word();
    else
      add_pair(previous_, c);
    previous_ = c;
  }

  std::vector<std::string> finish() && {
    end_word();
    return std::move(words_);
  }

private:
  void end_word() {
    if (letters_ > 0 && is_telling(word_, letters_))
      add(std::move(word_));
    word_.clear();
    letters_ = 0;
    previous_ = 0;
  }

  void add_pair(char32_t first, char32_t second) {
    auto pair = std::string{};
    append(pair, first);
    append(pair, second);
    add(std::move(pair));
  }

  void add(std::string word) {
    if (seen_.insert(word).second)
      words_.push_back(std::move(word));
  }

  std::vector<std::string> words_;
  std::set<std::string> seen_;
  std::string word_;
  std::size_t letters_ = 0;
  char32_t previous_ = 0; ///< the last character of an unspaced script
};

/// Splits at line ends, at . ! ? before a blank, and at their full-width forms.
std::vector<std::string_view> sentences(std::string_view text) {
  auto found = std::vector<std::string_view>{};
  auto start = std::size_t{0};
  const auto end_at = [&](std::size_t end) {
    if (end > start)
      found.push_back(text.substr(start, end - start));
    start = end;
  };
  for (auto at = std::size_t{0}; at < text.size() && found.size() < max_sentences;) {
    const auto here = first_code_point(text.substr(at));
    at += here.size;
    const auto blank_next = at < text.size() && (text[at] == ' ' || text[at] == '\n');
    const auto stop = here.value == U'.' || here.value == U'!' || here.value == U'?';
    const auto wide =
        here.value == 0x3002 || here.value == 0xff01 || here.value == 0xff1f;
    if (here.value == U'\n' || wide || (stop && blank_next))
      end_at(at);
  }
  if (found.size() < max_sentences)
    end_at(text.size());
  return found;
}

struct scored {
  std::string_view text;
  std::vector<std::string> words;
  double score = 0;
};

} // namespace

std::vector<std::string> keywords(std::string_view text) {
  auto reader = word_reader{};
  while (!text.empty()) {
    const auto next = first_code_point(text);
    reader.take(next.value);
    text.remove_prefix(next.size);
  }
  return std::move(reader).finish();
}

std::string excerpt(std::string_view text, std::size_t words, std::size_t bytes) {
  auto out = std::string{};
  auto blank = false; // one is owed before the next character
  auto left = words;
  while (!text.empty()) {
    const auto next = first_code_point(text);
    text.remove_prefix(next.size);
    if (next.value <= U' ' || next.value == 0x7f || next.value == 0xa0) {
      blank = !out.empty();
      continue;
    }
    if ((blank || out.empty()) && left-- == 0)
      return out + "\u2026";
    auto piece = std::string{blank ? " " : ""};
    append(piece, next.value);
    if (out.size() + piece.size() > bytes)
      return out + "\u2026";
    out += piece;
    blank = false;
  }
  return out;
}

std::vector<std::string_view> best_sentences(std::span<const std::string_view> texts,
                                             std::string_view question,
                                             std::size_t most) {
  const auto asked = keywords(question);
  auto all = std::vector<scored>{};
  auto frequency = std::map<std::string, double, std::less<>>{};
  for (const auto& text : texts)
    for (const auto& sentence : sentences(text)) {
      if (all.size() == max_sentences)
        break;
      all.push_back({sentence, keywords(sentence)});
      for (const auto& word : all.back().words)
        ++frequency[word];
    }
  for (auto& one : all)
    for (const auto& word : one.words)
      if (std::ranges::contains(asked, word))
        one.score += 1 / frequency.find(word)->second;
  auto ranked = std::vector<const scored*>{};
  for (const auto& one : all)
    if (one.score > 0)
      ranked.push_back(&one);
  std::ranges::stable_sort(ranked, std::ranges::greater{}, &scored::score);
  ranked.resize(std::min(most, ranked.size()));
  std::ranges::sort(ranked); // as they were said
  auto best = std::vector<std::string_view>{};
  for (const auto* one : ranked)
    best.push_back(one->text);
  return best;
}

} // namespace jessica::engines
