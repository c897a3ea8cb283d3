#include "engines/unigram_tokenizer.hpp"

#include <doctest/doctest.h>

using namespace jessica::engines;

namespace {

using ids = std::vector<token_id>;

/// 0 is unknown, 1 and 2 are no text.
[[nodiscard]] unigram_vocabulary some_words() {
  return {{{"<unk>", 0},
           {"<s>", 0},
           {"</s>", 0},
           {"\u2581", -3},
           {"a", -3},
           {"b", -3},
           {"ab", -4},
           {"\u2581ab", -5},
           {"\u2581a", -4},
           {"\u00e9", -6}},
          0,
          {1, 2}};
}

[[nodiscard]] ids encode(std::string_view text, unigram_options how = {}) {
  return unigram_tokenizer{some_words(), how}.encode(text);
}

} // namespace

TEST_SUITE("engines.unigram_tokenizer") {
  TEST_CASE("the likeliest cut wins, not the longest piece first") {
    CHECK(encode("ab") == ids{7});     // -5 against -4-3 and -3-4
    CHECK(encode("aba") == ids{7, 4}); // -8
    CHECK(encode("ab ab") == ids{7, 7});
    CHECK(encode("ba") == ids{3, 5, 4}); // -9
  }

  TEST_CASE("of cuts that are equally likely the one found first counts") {
    auto words = unigram_vocabulary{
        {{"<unk>", 0}, {"a", -1}, {"b", -1}, {"c", -1}, {"ab", -2}, {"bc", -2}}, 0, {}};
    const auto how = unigram_options{true, false, false};
    CHECK(unigram_tokenizer{words, how}.encode("ab") == ids{4});
    CHECK(unigram_tokenizer{words, how}.encode("abc") == ids{1, 5});
  }

  TEST_CASE("a run of unknown characters is one token, and costs more than any piece") {
    CHECK(encode("xyz") == ids{3, 0});
    CHECK(encode("axyzb") == ids{8, 0, 5});
    CHECK(encode("x x") == ids{3, 0, 3, 0});
    CHECK(encode("\U0001f600\U0001f600") == ids{3, 0});
  }

  TEST_CASE("special tokens are no text") {
    CHECK(encode("<s>") == ids{3, 0});
    CHECK(encode("<unk>") == ids{3, 0});
  }

  TEST_CASE("a later piece that looks the same replaces an earlier one") {
    auto words = unigram_vocabulary{{{"<unk>", 0}, {"a", -1}, {"a", -9}}, 0, {}};
    CHECK(unigram_tokenizer{words, {true, false, false}}.encode("a") == ids{2});
  }

  TEST_CASE("no text has no tokens, spaces are pieces like others") {
    CHECK(encode("").empty());
    CHECK(encode("  ") == ids{3, 3, 3});
  }

  TEST_CASE("normal forms, case and the space in front are options") {
    CHECK(encode("e\u0301") == ids{3, 9});
    CHECK(encode("e\u0301", {false, false, true}) == ids{3, 0});
    CHECK(encode("AB", {true, true, true}) == ids{7});
    CHECK(encode("ab", {true, false, false}) == ids{6});
  }

  TEST_CASE("broken bytes are unknown and end the text nowhere") {
    CHECK(encode("\xff\xff"
                 "a",
                 {false, false, true}) == ids{3, 0, 4});
    CHECK(unigram_tokenizer{some_words(), {}}.highest_id() == 9);
  }
}
