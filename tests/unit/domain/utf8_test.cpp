#include "domain/utf8.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace jessica;

TEST_SUITE("domain.utf8") {
  TEST_CASE("each length of code point is read whole") {
    CHECK(first_code_point("a").value == U'a');
    CHECK(first_code_point("\u00e9x").value == 0xe9);
    CHECK(first_code_point("\u20acx").size == 3);
    CHECK(first_code_point("\U0001F600x").value == 0x1f600);
    CHECK(first_code_point("\U0010ffff").valid);
    CHECK(first_code_point(std::string_view{"\0", 1}).valid);
  }

  TEST_CASE("what is not UTF-8 is one broken byte") {
    for (const auto* bad : {"\x80", "\xff", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf",
                            "\xf0\x80\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                            "\xf5\x80\x80\x80", "\xe2\x82", "\xe2\x82x", "\xc3"}) {
      const auto read = first_code_point(bad);
      CHECK_FALSE(read.valid);
      CHECK(read.size == 1);
      CHECK(read.value == 0xfffd);
    }
  }

  TEST_CASE("a cut falls between code points and keeps as much as it may") {
    CHECK(cut_utf8("abc", 5) == "abc");
    CHECK(cut_utf8("abc", 2) == "ab");
    CHECK(cut_utf8("abc", 0).empty());
    CHECK(cut_utf8("a\u20acb", 4) == "a\u20ac");
    CHECK(cut_utf8("a\u20acb", 3) == "a");
    CHECK(cut_utf8("a\u20acb", 2) == "a");
    CHECK(cut_utf8("\U0001F600", 3).empty());
  }
}
