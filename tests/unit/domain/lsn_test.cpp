#include "domain/lsn.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>

using jessica::lsn;

TEST_SUITE("domain.lsn") {
  TEST_CASE("PostgreSQL's form is read and written") {
    const auto place = lsn::parse("0/16B3748");
    REQUIRE(place);
    CHECK(place->value == 0x16B3748);
    CHECK(place->str() == "0/16B3748");
    CHECK(lsn::parse("1A/2b")->value == 0x1A0000002Bull);
    CHECK(lsn{0x1A0000002Bull}.str() == "1A/2B");
    CHECK(lsn{}.str() == "0/0");
    CHECK(lsn::parse("00000001/00000000")->str() == "1/0");
  }

  TEST_CASE("the greatest place survives a round trip") {
    const auto last = lsn{std::numeric_limits<std::uint64_t>::max()};
    CHECK(last.str() == "FFFFFFFF/FFFFFFFF");
    CHECK(lsn::parse(last.str()) == last);
  }

  TEST_CASE("anything else is not a place") {
    for (const auto* text :
         {"", "/", "0", "0/", "/0", "0/0/0", "0/-1", "+0/1", "0x1/2", "0/1 ", " 0/1",
          "0/G", "000000000/1", "0/123456789", "0/\xc3\xa9"}) {
      CAPTURE(text);
      CHECK_FALSE(lsn::parse(text));
    }
  }

  TEST_CASE("later places are greater, and zero is none") {
    CHECK(lsn{1} < lsn{2});
    CHECK(*lsn::parse("0/FFFFFFFF") < *lsn::parse("1/0"));
    CHECK(lsn{}.none());
    CHECK_FALSE(lsn{1}.none());
  }
}
