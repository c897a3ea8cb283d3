#include "engines/extract.hpp"

#include <doctest/doctest.h>

using namespace jessica::engines;

using words = std::vector<std::string>;
using views = std::vector<std::string_view>;

TEST_SUITE("engines.extract") {
  TEST_CASE("keywords are lower case, each once, without small words") {
    CHECK(keywords("What is the Capital of France? The CAPITAL!") ==
          words{"capital", "france"});
    CHECK(keywords("it is on at").empty());
    CHECK(keywords("").empty());
  }

  TEST_CASE("names in code and numbers are keywords") {
    CHECK(keywords("call read_file(7) twice") ==
          words{"call", "read_file", "7", "twice"});
  }

  TEST_CASE("letters of other alphabets make words and lose their capitals") {
    CHECK(keywords("\u00dcbung MACHT") == words{"\u00fcbung", "macht"});
    CHECK(keywords("\u041c\u043e\u0441\u043a\u0432\u0430") ==
          words{"\u043c\u043e\u0441\u043a\u0432\u0430"});
  }

  TEST_CASE("scripts without spaces count as pairs of characters") {
    CHECK(keywords("\u6771\u4eac\u90fd\u3002") ==
          words{"\u6771\u4eac", "\u4eac\u90fd"});
    CHECK(keywords("\u6771 go2 \u4eac") == words{"go2"});
  }

  TEST_CASE("an emoji is a keyword, broken bytes are not") {
    CHECK(keywords("\U0001F600 \xff\xfe") == words{"\U0001F600"});
  }

  TEST_CASE("an excerpt is one line of folded blanks") {
    CHECK(excerpt("  a\n\tb  c ", 10, 100) == "a b c");
    CHECK(excerpt(" \n ", 10, 100).empty());
  }

  TEST_CASE("an excerpt ends after its words or bytes with an ellipsis") {
    CHECK(excerpt("one two three", 2, 100) == "one two\u2026");
    CHECK(excerpt("one two", 2, 100) == "one two");
    CHECK(excerpt("abcdef", 2, 3) == "abc\u2026");
    CHECK(excerpt("abc", 2, 3) == "abc");
  }

  TEST_CASE("an excerpt never cuts inside a character and repairs broken ones") {
    CHECK(excerpt("\u20ac\u20ac", 2, 5) == "\u20ac\u2026");
    CHECK(excerpt("a\xff", 2, 10) == "a\uFFFD");
  }

  TEST_CASE("the sentences that share the rarest words win, in the order of saying") {
    const auto said = views{"I like tea. My cat is called Minka! The cat sleeps.",
                            "The cat likes fish.\nMinka is three years old."};
    const auto two = best_sentences(said, "How old is Minka?", 2);
    REQUIRE(two.size() == 2);
    CHECK(two[0].contains("called Minka"));
    CHECK(two[1].contains("three years old"));
    const auto one = best_sentences(said, "How old is Minka?", 1);
    REQUIRE(one.size() == 1);
    CHECK(one[0].contains("three years old"));
  }

  TEST_CASE("a dot inside a word or number ends no sentence") {
    const auto said = views{"pi is 3.14 or so"};
    CHECK(best_sentences(said, "3", 1) == views{"pi is 3.14 or so"});
  }

  TEST_CASE("full-width stops end sentences") {
    const auto said = views{"\u732b\u304c\u597d\u304d\u3002\u72ac\u3082\u3044\u308b"};
    const auto best = best_sentences(said, "\u732b\u304c\uff1f", 1);
    REQUIRE(best.size() == 1);
    CHECK(best[0] == "\u732b\u304c\u597d\u304d\u3002");
  }

  TEST_CASE("nothing in common gives nothing") {
    CHECK(best_sentences(views{"I like tea."}, "Where is Berlin?", 2).empty());
    CHECK(best_sentences(views{}, "tea", 2).empty());
    CHECK(best_sentences(views{"tea"}, "", 2).empty());
  }

  TEST_CASE("no text is too long: what lies past the bound is not looked at") {
    auto text = std::string{};
    for (auto i = 0; i < 5000; ++i)
      text += "tea\n";
    text += "zebra\n";
    const auto said = views{text};
    CHECK(best_sentences(said, "zebra", 1).empty());
    CHECK(best_sentences(said, "tea", 3).size() == 3);
  }
}
