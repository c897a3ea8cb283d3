#include "bench/load/json_field.hpp"

#include <doctest/doctest.h>

using namespace jessica::bench;

TEST_SUITE("bench.json_field") {
  TEST_CASE("members are found by their name, with and without blanks") {
    CHECK(text_field(R"({"id":"a-1","seq":7})", "id") == "a-1");
    CHECK(number_field("{\n  \"id\" : \"a\",\n  \"seq\" : 7\n}", "seq") == 7);
  }

  TEST_CASE("a name that ends like another one is not taken for it") {
    CHECK(number_field(R"({"first_seq":3,"seq":9})", "seq") == 9);
  }

  TEST_CASE("what a text quotes is not a member") {
    CHECK(number_field(R"({"text":"say \"seq\":5","seq":6})", "seq") == 6);
    CHECK(text_field(R"({"text":"a \"b\" c"})", "text") == R"(a \"b\" c)");
  }

  TEST_CASE("missing members and values of another kind are nullopt") {
    CHECK_FALSE(text_field(R"({"a":1})", "b").has_value());
    CHECK_FALSE(text_field(R"({"a":1})", "a").has_value());
    CHECK_FALSE(text_field(R"({"a":"cut)", "a").has_value());
    CHECK_FALSE(number_field(R"({"a":"1"})", "a").has_value());
    CHECK_FALSE(number_field(R"({"a":-1})", "a").has_value());
    CHECK_FALSE(number_field("", "a").has_value());
  }
}
