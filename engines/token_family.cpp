#include "engines/token_family.hpp"

#include "domain/utf8.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace jessica::engines {
namespace {

/// What characters of one script cost, in hundredths of a token, by family. Fitted to
/// the tokenizers of GPT-4o, GPT-4, Llama 3, Llama 2 and Mistral.
using costs = std::array<std::size_t, 3>;

struct script {
  char32_t first;
  char32_t last;
  costs each;
};

constexpr auto one = std::size_t{100};
constexpr auto accented = costs{100, 130, 130};
constexpr auto symbol = costs{150, 200, 250};
constexpr auto scripts = std::to_array<script>({
    {0x0370, 0x052f, {40, 65, 60}},    // Greek, Cyrillic
    {0x0590, 0x07ff, {50, 100, 120}},  // Hebrew, Arabic and their like
    {0x0900, 0x10ff, {65, 130, 140}},  // of India and south-east Asia
    {0x3000, 0x303f, {100, 100, 100}}, // ideographic punctuation
    {0x3040, 0x30ff, {90, 125, 145}},  // kana
    {0x3400, 0x9fff, {90, 135, 175}},  // ideographs
    {0xac00, 0xd7af, {95, 135, 215}},  // Hangul
    {0xff00, 0xffef, {100, 100, 100}}, // full-width forms
    {0x10000, 0x10ffff, {250, 320, 450}},
});

constexpr auto letters_a_token = std::array<std::size_t, 3>{6, 6, 5};
constexpr auto digits_a_token = std::array<std::size_t, 3>{3, 3, 1};

[[nodiscard]] constexpr std::size_t parts(std::size_t of, std::size_t each) {
  return (of + each - 1) / each * one;
}

class counter {
public:
  explicit counter(token_family family) : family_(std::to_underlying(family)) {}

  void take(char32_t c) {
    if (c == U' ' || (c >= U'\t' && c <= U'\r'))
      return take_blank(c);
    end_blanks();
    const auto upper = c >= U'A' && c <= U'Z';
    if (upper || (c >= U'a' && c <= U'z') || (c >= 0xc0 && c < 0x250))
      return take_letter(upper, c >= 0x80);
    if (c >= U'0' && c <= U'9')
      return take_digit();
    end_word();
    cost_ += c < 0x80 ? one : cost_of(c)[family_];
  }

  [[nodiscard]] std::size_t tokens() {
    end_word();
    end_blanks();
    return (cost_ + one - 1) / one;
  }

private:
  [[nodiscard]] static costs cost_of(char32_t c) {
    const auto found = std::ranges::find_if(
        scripts, [c](const auto& in) { return c >= in.first && c <= in.last; });
    return found == scripts.end() ? symbol : found->each;
  }

  /// A single space belongs to the word behind it.
  void take_blank(char32_t c) {
    end_word();
    ++blanks_;
    line_ended_ = line_ended_ || c != U' ';
  }
  void end_blanks() {
    if (blanks_ > 1 || line_ended_)
      cost_ += one;
    blanks_ = 0;
    line_ended_ = false;
  }

  /// "camelCase" are two words.
  void take_letter(bool upper, bool with_accent) {
    if (digits_ > 0 || (upper && after_lower_))
      end_word();
    ++letters_;
    after_lower_ = !upper;
    if (with_accent)
      cost_ += accented[family_];
  }
  void take_digit() {
    if (letters_ > 0)
      end_word();
    ++digits_;
  }
  void end_word() {
    cost_ += parts(letters_, letters_a_token[family_]);
    cost_ += parts(digits_, digits_a_token[family_]);
    letters_ = digits_ = 0;
    after_lower_ = false;
  }

  std::size_t family_;
  std::size_t cost_ = 0; ///< in hundredths of a token
  std::size_t letters_ = 0;
  std::size_t digits_ = 0;
  std::size_t blanks_ = 0;
  bool line_ended_ = false;
  bool after_lower_ = false;
};

struct known_model {
  std::string_view name; ///< what a model's name holds, in lower case
  token_family family;
};

/// The first that fits: the longer name before the shorter one.
constexpr auto known = std::to_array<known_model>({
    {"gpt-4o", token_family::wide},      {"gpt-4.", token_family::wide},
    {"gpt-4", token_family::western},    {"gpt-3.5", token_family::western},
    {"gpt-", token_family::wide},        {"o1", token_family::wide},
    {"o3", token_family::wide},          {"o4", token_family::wide},
    {"llama-2", token_family::narrow},   {"llama2", token_family::narrow},
    {"tinyllama", token_family::narrow}, {"codellama", token_family::narrow},
    {"llama", token_family::wide},       {"qwen", token_family::wide},
    {"gemma", token_family::wide},       {"gemini", token_family::wide},
    {"deepseek", token_family::wide},    {"nemo", token_family::wide},
    {"command-", token_family::wide},
});

/// "o1" is a model, "go1" is not.
[[nodiscard]] bool holds(std::string_view model, std::string_view name) {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == b;
  };
  const auto found = std::ranges::search(model, name, same);
  return !found.empty() &&
         (found.begin() == model.begin() ||
          std::isalnum(static_cast<unsigned char>(*std::prev(found.begin()))) == 0);
}

} // namespace

token_family family_of(std::string_view model) noexcept {
  const auto found = std::ranges::find_if(
      known, [&](const auto& it) { return holds(model, it.name); });
  return found == known.end() ? token_family::narrow : found->family;
}

std::size_t estimated_tokens(std::string_view text, token_family family) {
  auto count = counter{family};
  while (!text.empty()) {
    const auto c = first_code_point(text);
    count.take(c.value);
    text.remove_prefix(c.size);
  }
  return count.tokens();
}

} // namespace jessica::engines
