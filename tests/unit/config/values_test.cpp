#include "config/values.hpp"

#include <doctest/doctest.h>

using namespace jessica;
using namespace jessica::config;
using namespace std::chrono_literals;

TEST_SUITE("config.values") {
  TEST_CASE("a count is digits and nothing else") {
    CHECK(parse_count("0") == 0);
    CHECK(parse_count("007") == 7);
    for (const auto* bad :
         {"", " 1", "1 ", "+1", "-1", "0x1", "1.0", "1s", "99999999999999999999"})
      CHECK_FALSE(parse_count(bad).has_value());
  }

  TEST_CASE("a size is bytes or carries a binary unit") {
    CHECK(parse_size("1048576") == 1'048'576);
    CHECK(parse_size("1MiB") == 1'048'576);
    CHECK(parse_size("64KiB") == 65'536);
    CHECK(parse_size("2GiB") == 2'147'483'648);
    CHECK(parse_size("5B") == 5);
    for (const auto* bad : {"", "KiB", "1kb", "1 MiB", "1MB", "99999999999GiB"})
      CHECK_FALSE(parse_size(bad).has_value());
  }

  TEST_CASE("a duration is seconds or carries its unit") {
    CHECK(parse_duration("10") == 10s);
    CHECK(parse_duration("10s") == 10s);
    CHECK(parse_duration("500ms") == 500ms);
    CHECK(parse_duration("2m") == 120s);
    CHECK(parse_duration("1h") == 3600s);
    for (const auto* bad :
         {"", "s", "1.5s", "1 s", "2 m", "1d", "9223372036854775807s"})
      CHECK_FALSE(parse_duration(bad).has_value());
  }

  TEST_CASE("values are written in the shortest form that reads back") {
    CHECK(size_text(0) == "0");
    CHECK(size_text(19'000) == "19000");
    CHECK(size_text(65'536) == "64KiB");
    CHECK(size_text(1'048'576) == "1MiB");
    CHECK(size_text(std::uint64_t{3} << 30U) == "3GiB");
    CHECK(duration_text(75s) == "75s");
    CHECK(duration_text(1500ms) == "1500ms");
    CHECK(duration_text(0ms) == "0s");
  }

  TEST_CASE("the password of a URL is masked, wherever it stands") {
    CHECK(mask_passwords("postgres://ann:pw@db:5432/app?x=1") ==
          "postgres://ann:***@db:5432/app?x=1");
    CHECK(mask_passwords("postgres://ann:p@w:x@db/app") == "postgres://ann:***@db/app");
    CHECK(mask_passwords("postgres://ann:p/w@db/app") == "postgres://ann:***@db/app");
    CHECK(mask_passwords("postgres://db/app?password=pw&a=b") ==
          "postgres://db/app?password=***&a=b");
    CHECK(mask_passwords("postgres://a:b@db/app?password=pw&sslpassword=q") ==
          "postgres://a:***@db/app?password=***&sslpassword=***");
  }

  TEST_CASE("a URL without a password stays as it is") {
    CHECK(mask_passwords("postgres://ann@db:5432/app") == "postgres://ann@db:5432/app");
    CHECK(mask_passwords("postgresql:///app") == "postgresql:///app");
    CHECK(mask_passwords("").empty());
  }

  TEST_CASE("passwords of a keyword string are masked, quoted or not") {
    CHECK(mask_passwords("host=db password=pw dbname=app") ==
          "host=db password=*** dbname=app");
    CHECK(mask_passwords(R"(host=db password = 'p w\' x' dbname=app)") ==
          "host=db password=*** dbname=app");
    CHECK(mask_passwords(R"(password=a\ b user=u)") == "password=*** user=u");
    CHECK(mask_passwords("sslpassword=pw") == "sslpassword=***");
  }

  TEST_CASE("a keyword string that is not understood is not shown at all") {
    CHECK(mask_passwords("host=db password='open") == "***");
    CHECK(mask_passwords("host=db secret") == "***");
    CHECK(mask_passwords("=x") == "***");
  }

  TEST_CASE("edit distance counts letters typed, left out and changed") {
    CHECK(edit_distance("", "") == 0);
    CHECK(edit_distance("", "abc") == 3);
    CHECK(edit_distance("abc", "") == 3);
    CHECK(edit_distance("port", "port") == 0);
    CHECK(edit_distance("prot", "port") == 2);
    CHECK(edit_distance("kitten", "sitting") == 3);
  }
}
