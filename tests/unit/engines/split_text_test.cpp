#include "engines/split_text.hpp"
#include "engines/token_estimate.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

using namespace jessica::engines;

namespace {

/// Words are tokens.
[[nodiscard]] std::size_t words_of(std::string_view text) {
  auto count = std::size_t{0};
  auto inside = false;
  for (const auto c : text) {
    const auto blank = c == ' ' || c == '\n' || c == '\t';
    count += !blank && !inside ? 1U : 0U;
    inside = !blank;
  }
  return count;
}

[[nodiscard]] std::vector<std::string> pieces(std::string_view text, std::size_t most,
                                              std::size_t overlap = 0) {
  auto made = std::vector<std::string>{};
  for (const auto [begin, end] : split_text(text, {most, overlap, words_of}))
    made.emplace_back(text.substr(begin, end - begin));
  return made;
}

using texts = std::vector<std::string>;

} // namespace

TEST_SUITE("engines.split_text") {
  TEST_CASE("a text that fits is one piece, without the blanks around it") {
    CHECK(pieces("  one two.\n\nthree \n", 3) == texts{"one two.\n\nthree"});
    CHECK(pieces("one", 1) == texts{"one"});
  }

  TEST_CASE("no words, no pieces") {
    CHECK(pieces("", 3).empty());
    CHECK(pieces(" \n\t \u00a0", 3).empty());
    CHECK(split_text("\u200b \u200b",
                     {3, 0, [](std::string_view) { return std::size_t{0}; }})
              .empty());
  }

  TEST_CASE("paragraphs come before sentences, sentences before words") {
    CHECK(pieces("a b c.\n\nd e. f g h i", 6) == texts{"a b c.", "d e. f g h i"});
    CHECK(pieces("A b. C d e f g h", 5) == texts{"A b.", "C d e f g", "h"});
    CHECK(pieces("a b c d e", 2) == texts{"a b", "c d", "e"});
    CHECK(pieces("a b\nc d e f", 5) == texts{"a b", "c d e f"});
  }

  TEST_CASE("an end that leaves a piece nearly empty is passed over") {
    CHECK(pieces("# A\n\nb c d e f g h i j", 9) ==
          texts{"# A\n\nb c d e f g h", "i j"});
  }

  TEST_CASE("a dot inside a sentence ends none") {
    CHECK(pieces("see e.g. the book. It is good", 6) ==
          texts{"see e.g. the book.", "It is good"});
    CHECK(pieces("He said \"no way.\" They left at once", 6) ==
          texts{"He said \"no way.\"", "They left at once"});
  }

  TEST_CASE("a word that is too long is cut between characters") {
    const auto count = [](std::string_view text) { return text.size(); };
    const auto text = std::string{"ab \u00e9\u00e9\u00e9\u00e9 cd"};
    auto found = texts{};
    for (const auto [begin, end] : split_text(text, {5, 0, count}))
      found.push_back(text.substr(begin, end - begin));
    CHECK(found == texts{"ab", "\u00e9\u00e9", "\u00e9\u00e9", "cd"});
  }

  TEST_CASE("text without spaces is cut at its full stops") {
    const auto sentence = std::string{"\u4f60\u597d\u5417\u3002"};
    const auto text = sentence + sentence + sentence;
    auto found = texts{};
    for (const auto [begin, end] : split_text(text, {9, 0, estimated_tokens}))
      found.push_back(text.substr(begin, end - begin));
    CHECK(found == texts{sentence + sentence, sentence});
  }

  TEST_CASE("with an overlap pieces repeat the end of the one before, and get on") {
    CHECK(pieces("a b c d e f", 4, 2) == texts{"a b c d", "c d e f"});
    CHECK(pieces("a b c d e", 2, 1) == texts{"a b", "b c", "c d", "d e"});
  }

  TEST_CASE("whatever the text: in order, none too long, nothing lost but blanks") {
    auto random = std::mt19937{7};
    const auto alphabet = std::vector<std::string>{
        "a",      "B",      " ",          " ",
        "\n",     "\n\n",   ". ",         "!",
        "\u00e9", "\u3002", "\U0001f600", "word",
        "\t",     "\u200b", "\u00a0",     "supercalifragilistic"};
    for (auto round = 0; round < 300; ++round) {
      auto text = std::string{};
      for (auto n = random() % 200; n > 0; --n)
        text += alphabet[random() % alphabet.size()];
      const auto most = 1 + random() % 30;
      auto reached = std::size_t{0};
      auto kept = std::string{};
      for (const auto [begin, end] : split_text(text, {most, 0, estimated_tokens})) {
        REQUIRE(begin >= reached);
        REQUIRE(end > begin);
        const auto piece = text.substr(begin, end - begin);
        CHECK(estimated_tokens(piece) <= most);
        CHECK(estimated_tokens(piece) > 0);
        CHECK(estimated_tokens(text.substr(reached, begin - reached)) == 0);
        reached = end;
      }
      CHECK(estimated_tokens(text.substr(reached)) == 0);
    }
  }

  TEST_CASE("a file of one word is cut quickly") {
    const auto text = std::string(200'000, 'x');
    const auto found = split_text(text, {128, 0, estimated_tokens});
    CHECK(found.size() == 391);
    CHECK(found.back().end == text.size());
  }
}

TEST_SUITE("engines.token_estimate") {
  TEST_CASE("letters count by fours, other characters one by one, spaces not") {
    CHECK(estimated_tokens("") == 0);
    CHECK(estimated_tokens("word words") == 3);
    CHECK(estimated_tokens("a, b!") == 4);
    CHECK(estimated_tokens("\u4f60\u597d \n") == 2);
  }

  TEST_CASE("a start ends between characters and has no more tokens than allowed") {
    CHECK(start_within("word words", 2) == "word word");
    CHECK(start_within("\u4f60\u597d", 1) == "\u4f60");
    CHECK(start_within("abc", 5) == "abc");
    CHECK(start_within("abc", 0).empty());
  }
}
