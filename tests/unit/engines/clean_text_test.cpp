#include "engines/clean_text.hpp"

#include <doctest/doctest.h>

using namespace jessica::engines;

namespace {

constexpr auto spaces = cleaning{true, false};
constexpr auto all = cleaning{true, true};

} // namespace

TEST_SUITE("engines.clean_text") {
  TEST_CASE(
      "white space of all kinds becomes one space, and none is left at the ends") {
    CHECK(clean_text(" \t a\n\n\tb \u00a0\u3000 c\r\n", spaces) == "a b c");
    CHECK(clean_text("a\x01\x7f"
                     "b\u0085c",
                     spaces) == "a b c");
    CHECK(clean_text(" \n\t ", spaces).empty());
    CHECK(clean_text("", spaces).empty());
  }

  TEST_CASE("what nobody sees goes") {
    CHECK(clean_text("\ufeffze\u200bro wi\u200ddth \u2764\ufe0f", spaces) ==
          "zero width \u2764");
    CHECK(clean_text("\u200b \u200e", spaces).empty());
  }

  TEST_CASE("compatible forms become plain") {
    CHECK(clean_text("\ufb01ne \uff21\uff22\uff23 e\u0301", spaces) ==
          "fine ABC \u00e9");
    CHECK(clean_text("e\u200d\u0301", spaces) == "\u00e9"); // dropped, then composed
  }

  TEST_CASE("shouting becomes lower case, but a text with one small letter does not") {
    CHECK(clean_text("HELLO THERE", all) == "hello there");
    CHECK(clean_text("HELLO tHERE", all) == "HELLO tHERE");
    CHECK(clean_text("\u00c4RGER 42!", all) == "\u00e4rger 42!");
    CHECK(clean_text("42!", all) == "42!");
    CHECK(clean_text("\u4f60\u597d", all) == "\u4f60\u597d");
    CHECK(clean_text("HELLO", spaces) == "HELLO");
  }

  TEST_CASE("nothing is touched that was not asked for") {
    CHECK(clean_text(" a  b\n", {false, false}) == " a  b\n");
    CHECK(clean_text(" A  B\n", {false, true}) == " a  b\n");
  }

  TEST_CASE("broken bytes become the replacement character") {
    CHECK(clean_text("a\xff"
                     "b",
                     spaces)
              .find("b") != std::string::npos);
    CHECK(clean_text("\xc3", spaces).size() <= 3);
  }
}
