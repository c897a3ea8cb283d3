#include "tests/unit/wire/filter_cases.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <string_view>

TEST_SUITE_BEGIN("wire.change_filter_refused");

namespace jessica::wire {
namespace {

using namespace test;
using namespace std::string_view_literals;

TEST_CASE("what is no filter is refused") {
  check_refused(std::array<refused, 17>{{
      {"text", "undefined", R"(Error parsing `filter` params: ["undefined"])"},
      {"text", "c=foo.hey", R"(Error parsing `filter` params: ["foo", "hey"])"},
      {"text", "c=not.foo.\"", R"(Error parsing `filter` params: ["foo", "\""])"},
      {"text", "c=eq", R"(Error parsing `filter` params: ["eq"])"},
      {"text", "c=not.eq", R"(Error parsing `filter` params: ["eq"])"},
      {"text", "c=EQ.a", R"(Error parsing `filter` params: ["EQ", "a"])"},
      {"text", "c=eq.a,",
       "Error parsing `filter` params: filter must not contain empty segments (check "
       "for extra commas)"},
      {"text", ",c=eq.a",
       "Error parsing `filter` params: filter must not contain empty segments (check "
       "for extra commas)"},
      {"text", "c=in.a",
       "Error parsing `filter` params: `in` filter value must be wrapped by "
       "parentheses"},
      {"text", "c=in.(a),b", R"(Error parsing `filter` params: ["b"])"},
      {"text", "c=in.(a,)", R"(malformed array literal: "{a,}")"},
      {"text", "c=in.(,a)", R"(malformed array literal: "{,a}")"},
      {"text", "c=in.(\"a\"b)", R"(malformed array literal: "{"a"b}")"},
      {"text", "c=in.(b, \"a)", R"(malformed array literal: "{b, "a}")"},
      {"text", "d=eq.a", "invalid column for filter d"},
      {"text", "=eq.a", "invalid column for filter "},
      {"text", " c =eq.a", "invalid column for filter c "},
  }});
}

TEST_CASE("a value that is none of the column's type is refused") {
  check_refused(std::array<refused, 34>{{
      {"int4", "c=eq.abc", R"(invalid input syntax for type integer: "abc")"},
      {"int4", "c=eq.", R"(invalid input syntax for type integer: "")"},
      {"int4", "c=eq.1.5", R"(invalid input syntax for type integer: "1.5")"},
      {"int4", "c=eq.+-1", R"(invalid input syntax for type integer: "+-1")"},
      {"int4", "c=in.(1,x)", R"(invalid input syntax for type integer: "x")"},
      {"int4", "c=isdistinct.x", R"(invalid input syntax for type integer: "x")"},
      {"int2", "c=eq.32768", R"(value "32768" is out of range for type smallint)"},
      {"int4", "c=eq.-2147483649",
       R"(value "-2147483649" is out of range for type integer)"},
      {"int8", "c=eq.9223372036854775808",
       R"(value "9223372036854775808" is out of range for type bigint)"},
      {"oid", "c=eq.4294967296", R"(value "4294967296" is out of range for type oid)"},
      {"numeric", "c=eq.1e", R"(invalid input syntax for type numeric: "1e")"},
      {"numeric", "c=eq..", R"(invalid input syntax for type numeric: ".")"},
      {"numeric", "c=eq.1e999999",
       R"(invalid input syntax for type numeric: "1e999999")"},
      {"numeric", "c=eq.--1", R"(invalid input syntax for type numeric: "--1")"},
      {"float8", "c=eq.x", R"(invalid input syntax for type double precision: "x")"},
      {"float8", "c=eq.1e400",
       R"(invalid input syntax for type double precision: "1e400")"},
      {"float8", "c=eq.nan(1)",
       R"~(invalid input syntax for type double precision: "nan(1)")~"},
      {"bool", "c=eq.maybe", R"(invalid input syntax for type boolean: "maybe")"},
      {"bool", "c=eq.o", R"(invalid input syntax for type boolean: "o")"},
      {"uuid", "c=eq.6f1c", R"(invalid input syntax for type uuid: "6f1c")"},
      {"uuid", "c=eq.6f1c9a52-0000-4000-8000-00000000abcd0",
       R"(invalid input syntax for type uuid: "6f1c9a52-0000-4000-8000-00000000abcd0")"},
      {"uuid", "c=eq.6f1c9a52--0000-4000-8000-00000000abcd",
       R"(invalid input syntax for type uuid: "6f1c9a52--0000-4000-8000-00000000abcd")"},
      {"timestamptz", "c=eq.today",
       R"(invalid input syntax for type timestamp with time zone: "today")"},
      {"timestamptz", "c=eq.2026-02-30",
       R"(invalid input syntax for type timestamp with time zone: "2026-02-30")"},
      {"timestamptz", "c=eq.2026-13-01",
       R"(invalid input syntax for type timestamp with time zone: "2026-13-01")"},
      {"timestamptz", "c=eq.2026-11-22T25:00",
       R"(invalid input syntax for type timestamp with time zone: "2026-11-22T25:00")"},
      {"timestamptz", "c=eq.2026-11-22T10:60",
       R"(invalid input syntax for type timestamp with time zone: "2026-11-22T10:60")"},
      {"timestamptz", "c=eq.2026-11-22T10:00+99",
       R"(invalid input syntax for type timestamp with time zone: )"
       R"("2026-11-22T10:00+99")"},
      {"timestamptz", "c=eq.2026-11-22x",
       R"(invalid input syntax for type timestamp with time zone: "2026-11-22x")"},
      {"timestamptz", "c=eq.290001-01-01",
       R"(invalid input syntax for type timestamp with time zone: "290001-01-01")"},
      {"date", "c=eq.x", R"(invalid input syntax for type date: "x")"},
      {"bool", "c=is.maybe",
       "invalid value for is filter: must be null, true, false, or unknown"},
      {"int4", "c=is.true", "is true filter requires a boolean column, got integer"},
      {"text", "c=not.is.unknown",
       "is unknown filter requires a boolean column, got text"},
  }});
}

TEST_CASE("patterns are for text, and must be whole") {
  check_refused(std::array<refused, 15>{{
      {"int4", "c=like.5%",
       "operator like requires a text-compatible column type, got integer"},
      {"uuid", "c=imatch.a",
       "operator imatch requires a text-compatible column type, got uuid"},
      {"text", R"(c=like.a\)", "LIKE pattern must not end with escape character"},
      {"text", "c=match.(a",
       "invalid regular expression for match filter: invalid regular expression: "
       "parentheses () not balanced"},
      {"text", "c=match.a)",
       "invalid regular expression for match filter: invalid regular expression: "
       "parentheses () not balanced"},
      {"text", "c=match.[a",
       "invalid regular expression for match filter: invalid regular expression: "
       "brackets [] not balanced"},
      {"text", "c=match.[[:a",
       "invalid regular expression for match filter: invalid regular expression: "
       "brackets [] not balanced"},
      {"text", "c=imatch.*a",
       "invalid regular expression for imatch filter: invalid regular expression: "
       "quantifier operand invalid"},
      {"text", "c=match.a**",
       "invalid regular expression for match filter: invalid regular expression: "
       "quantifier operand invalid"},
      {"text", "c=match.a{3",
       "invalid regular expression for match filter: invalid regular expression: "
       "braces {} not balanced"},
      {"text", R"(c=match."a{3,2}")",
       "invalid regular expression for match filter: invalid regular expression: "
       "invalid repetition count(s)"},
      {"text", "c=match.a{256}",
       "invalid regular expression for match filter: invalid regular expression: "
       "invalid repetition count(s)"},
      {"text", R"(c=match.(a)\1)",
       "invalid regular expression for match filter: invalid regular expression: "
       "this escape sequence is not supported"},
      {"text", "c=match.(?=a)",
       "invalid regular expression for match filter: invalid regular expression: "
       "this kind of group is not supported"},
      {"text", R"(c=match.a\)",
       "invalid regular expression for match filter: invalid regular expression: "
       "invalid escape \\ sequence"},
  }});
  for (const auto pattern : {"[b-a]", "[[:nope:]]", R"([\^])", R"([\q])", R"([\)"})
    CHECK_FALSE(
        change_filter::parse("c=match." + std::string{pattern}, one_column("text")));
}

TEST_CASE("what a filter may cost is bounded") {
  const auto text = one_column("text");
  const auto list = [](std::size_t size) {
    auto out = std::string{"c=in.(0"};
    for (auto i = std::size_t{1}; i < size; ++i)
      out += "," + std::to_string(i);
    return out + ")";
  };
  CHECK(change_filter::parse(list(100), text));
  CHECK(change_filter::parse(list(101), text).error().what ==
        "too many values for `in` filter. Maximum 100");

  const auto many = [](std::size_t size) {
    auto out = std::string{"c=eq.a"};
    for (auto i = std::size_t{1}; i < size; ++i)
      out += ",c=eq.a";
    return out;
  };
  CHECK(change_filter::parse(many(32), text));
  CHECK(change_filter::parse(many(33), text).error().what ==
        "too many filters. Maximum 32");

  constexpr auto complex = "invalid regular expression for match filter: invalid "
                           "regular expression: regular expression is too complex"sv;
  const auto wide = [](std::size_t size) {
    return "c=match.[" + std::string(size - 2, 'a') + "]";
  };
  CHECK(change_filter::parse(wide(256), text));
  CHECK(change_filter::parse(wide(257), text).error().what == complex);
  CHECK(change_filter::parse("c=match." + std::string(128, 'a'), text));
  CHECK(change_filter::parse("c=match." + std::string(129, 'a'), text).error().what ==
        complex);
  CHECK(change_filter::parse("c=match.(a{20}){20}", text).error().what == complex);
  auto nested = std::string(30, '(') + "a";
  for (auto i = 0; i < 30; ++i)
    nested += "){255}";
  CHECK(change_filter::parse("c=match." + nested, text).error().what == complex);
  CHECK(change_filter::parse("c=match.a{60},c=match.b{60}", text));
  CHECK(change_filter::parse("c=match.a{90},c=match.b{90}", text).error().what ==
        complex);
}

TEST_CASE("a bad value is shown in part") {
  const auto read =
      change_filter::parse("c=eq." + std::string(10'000, 'x'), one_column("int4"));
  REQUIRE_FALSE(read);
  CHECK(read.error().what.size() < 200);
}

} // namespace
} // namespace jessica::wire

TEST_SUITE_END();
