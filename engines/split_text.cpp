#include "engines/split_text.hpp"

#include "domain/utf8.hpp"
#include "engines/unicode.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

namespace jessica::engines {
namespace {

/// What ends with a word, the more the greater.
enum class ending : std::uint8_t { word, sentence, paragraph };

struct word {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t tokens = 0;
  ending ends = ending::word;
};

[[nodiscard]] bool is_blank(char32_t c) {
  return is_white_space(c) || is_control(c);
}

/// Ends a sentence although no space follows.
[[nodiscard]] bool is_full_stop(char32_t c) {
  return c == U'\u3002' || c == U'\uff01' || c == U'\uff1f';
}

[[nodiscard]] bool closes_sentence(std::string_view text) {
  constexpr auto closing =
      std::array<std::string_view, 7>{"\"", "'", ")", "]", "*", "\u201d", "\u2019"};
  constexpr auto marks = std::array<std::string_view, 8>{
      ".", "!", "?", "\u2026", "\u3002", "\uff01", "\uff1f", ":"};
  for (auto removed = true; removed;) {
    removed = false;
    for (const auto one : closing)
      if (text.ends_with(one)) {
        text.remove_suffix(one.size());
        removed = true;
      }
  }
  return std::ranges::any_of(marks,
                             [&](std::string_view one) { return text.ends_with(one); });
}

/// By the word, the blanks behind it and what follows them.
[[nodiscard]] ending ending_of(std::string_view word, std::string_view blanks,
                               std::string_view rest) {
  const auto lines = std::ranges::count(blanks, '\n');
  if (lines > 1 || rest.empty())
    return ending::paragraph;
  if (lines == 1)
    return ending::sentence; // an item of a list, a verse
  const auto goes_on = is_lower_case(first_code_point(rest).value);
  return closes_sentence(word) && !goes_on ? ending::sentence : ending::word;
}

/// The bytes up to which `stops` is false.
template <class Stops>
[[nodiscard]] std::size_t run(std::string_view text, std::size_t from, Stops stops) {
  while (from < text.size()) {
    const auto c = first_code_point(text.substr(from));
    if (stops(c.value))
      return from;
    from += c.size;
  }
  return text.size();
}

struct word_start {
  std::size_t bytes = 0;
  std::size_t tokens = 0;
};

/// The longest start of a word that has at most `most` tokens, one character at least.
[[nodiscard]] word_start start_that_fits(std::string_view word,
                                         const split_rules& rules) {
  const auto start_of = [&](std::size_t bytes) {
    const auto start = cut_utf8(word, bytes);
    return word_start{start.size(), rules.count(start)};
  };
  // Grows before it is halved: the word may be a file, its start is counted only.
  auto good = word_start{};
  auto limit = std::min(rules.most, word.size());
  for (auto next = start_of(limit); next.tokens <= rules.most; next = start_of(limit)) {
    good = next;
    if (limit == word.size())
      return good;
    limit = std::min(limit * 2, word.size());
  }
  for (auto least = good.bytes; limit - least > 1;) {
    const auto middle = least + (limit - least) / 2;
    const auto next = start_of(middle);
    if (next.tokens <= rules.most) {
      good = next;
      least = middle;
    } else
      limit = middle;
  }
  if (good.bytes > 0)
    return good;
  const auto first = first_code_point(word).size;
  return {first, rules.count(word.substr(0, first))};
}

class splitter {
public:
  splitter(std::string_view text, const split_rules& rules)
      : text_{text}, rules_{rules} {
    gather_words();
  }

  [[nodiscard]] std::vector<text_chunk> pieces() const {
    auto made = std::vector<text_chunk>{};
    auto first = std::size_t{0}; // word of the piece
    auto fresh = std::size_t{0}; // the first that no piece has yet
    while (fresh < words_.size()) {
      const auto end = end_of(first, fresh);
      if (end <= fresh) { // what is repeated leaves no room
        first = fresh;
        continue;
      }
      add(first, end, made);
      fresh = end;
      first = repeated_from(first, end);
    }
    return made;
  }

private:
  void gather_words() {
    auto at = run(text_, 0, [](char32_t c) { return !is_blank(c); });
    while (at < text_.size()) {
      auto end =
          run(text_, at, [](char32_t c) { return is_blank(c) || is_full_stop(c); });
      if (end < text_.size() && is_full_stop(first_code_point(text_.substr(end)).value))
        end = run(text_, end, [](char32_t c) { return !is_full_stop(c); });
      const auto next = run(text_, end, [](char32_t c) { return !is_blank(c); });
      const auto ends = ending_of(text_.substr(at, end - at),
                                  text_.substr(end, next - end), text_.substr(next));
      append(at, end, ends);
      at = next;
    }
  }

  void append(std::size_t begin, std::size_t end, ending ends) {
    while (begin < end) {
      const auto start = start_that_fits(text_.substr(begin, end - begin), rules_);
      const auto last = begin + start.bytes == end;
      words_.push_back(
          {begin, begin + start.bytes, start.tokens, last ? ends : ending::word});
      begin += start.bytes;
    }
  }

  [[nodiscard]] std::string_view between(std::size_t first, std::size_t end) const {
    return text_.substr(words_[first].begin, words_[end - 1].end - words_[first].begin);
  }

  /// Where the piece that begins with `first` ends; `fresh` or less: it has no room for
  /// a new word.
  [[nodiscard]] std::size_t end_of(std::size_t first, std::size_t fresh) const {
    auto end = first;
    for (auto sum = std::size_t{0}; end < words_.size(); ++end) {
      sum += words_[end].tokens;
      if (sum > rules_.most && end > first)
        break;
    }
    if (end < words_.size() && end > fresh)
      end = best_end(first, fresh, end);
    // Words together may have more tokens than each alone.
    while (end > first + 1 && rules_.count(between(first, end)) > rules_.most)
      --end;
    return end;
  }

  [[nodiscard]] std::size_t best_end(std::size_t first, std::size_t fresh,
                                     std::size_t end) const {
    constexpr auto least_part = 4; // a quarter
    for (const auto wanted : {ending::paragraph, ending::sentence}) {
      auto sum = std::size_t{0};
      auto best = std::size_t{0};
      for (auto i = first; i < end; ++i) {
        sum += words_[i].tokens;
        if (words_[i].ends >= wanted && i >= fresh && sum * least_part >= rules_.most)
          best = i + 1;
      }
      if (best != 0)
        return best;
    }
    return end;
  }

  [[nodiscard]] std::size_t repeated_from(std::size_t first, std::size_t end) const {
    auto sum = std::size_t{0};
    auto from = end;
    while (from > first + 1 && sum + words_[from - 1].tokens <= rules_.overlap)
      sum += words_[--from].tokens;
    return from;
  }

  void add(std::size_t first, std::size_t end, std::vector<text_chunk>& to) const {
    const auto of = std::span{words_}.subspan(first, end - first);
    if (std::ranges::any_of(of, [](const word& one) { return one.tokens > 0; }))
      to.push_back({of.front().begin, of.back().end});
  }

  std::string_view text_;
  const split_rules& rules_;
  std::vector<word> words_;
};

} // namespace

std::vector<text_chunk> split_text(std::string_view text, const split_rules& rules) {
  return splitter{text, rules}.pieces();
}

} // namespace jessica::engines
