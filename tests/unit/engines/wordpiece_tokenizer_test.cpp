#include "engines/wordpiece_tokenizer.hpp"

#include <doctest/doctest.h>

#include <initializer_list>

using namespace jessica::engines;

namespace {

using ids = std::vector<token_id>;

[[nodiscard]] piece_ids numbered(std::initializer_list<const char*> pieces) {
  auto made = piece_ids{};
  for (const auto* const one : pieces)
    made.emplace(one, static_cast<token_id>(made.size()));
  return made;
}

//  0      1      2     3      4    5   6     7      8         9      10      11
[[nodiscard]] wordpiece_tokenizer some(wordpiece_options how = {}) {
  return {numbered({"[UNK]", "un", "##aff", "##able", "aff", "!", "cafe", "caf\u00e9",
                    "\u4f60", "Cafe", "##\u4f60", "$"}),
          std::move(how)};
}

} // namespace

TEST_SUITE("engines.wordpiece_tokenizer") {
  TEST_CASE("words are cut into the longest pieces from the left") {
    CHECK(some().encode("unaffable") == ids{1, 2, 3});
    CHECK(some().encode("aff un") == ids{4, 1});
  }

  TEST_CASE("a word with a part that is not known is unknown as a whole") {
    CHECK(some().encode("unaffxable aff") == ids{0, 4});
  }

  TEST_CASE("punctuation and symbols of ASCII are words of their own") {
    CHECK(some().encode("un!aff$!") == ids{1, 5, 4, 11, 5});
    CHECK(some().encode("un\u2026") == ids{1, 0});
  }

  TEST_CASE("case and accents go, unless the model knows them") {
    CHECK(some().encode("CAF\u00c9 Caf\u00e9 cafe\u0301") == ids{6, 6, 6});
    auto cased = wordpiece_options{};
    cased.lowercase = cased.strip_accents = false;
    CHECK(some(cased).encode("Cafe caf\u00e9 cafe") == ids{9, 7, 6});
  }

  TEST_CASE("each Chinese character is a word") {
    CHECK(some().encode("un\u4f60\u4f60") == ids{1, 8, 8});
    auto joined = wordpiece_options{};
    joined.chinese_chars = false;
    CHECK(some(joined).encode("un\u4f60") == ids{1, 10});
  }

  TEST_CASE("control characters go and any white space separates") {
    CHECK(some().encode("u\u200bn\taff\u00a0un\r\n") == ids{1, 4, 1});
    CHECK(some().encode(" \n ").empty());
    CHECK(some().encode("").empty());
  }

  TEST_CASE("a word that is too long is unknown") {
    auto how = wordpiece_options{};
    how.max_chars_per_word = 9;
    CHECK(some(how).encode("unaffable") == ids{1, 2, 3});
    CHECK(some(how).encode("unaffaffable") == ids{0});
  }

  TEST_CASE("the highest id is that of the vocabulary") {
    CHECK(some().highest_id() == 11);
  }
}
