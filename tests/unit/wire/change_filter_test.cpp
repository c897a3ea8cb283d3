#include "wire/change_filter.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

TEST_SUITE_BEGIN("wire.change_filter");

namespace jessica::wire {
namespace {

using namespace std::string_view_literals;

enum class outcome : std::uint8_t { yes, no };
using enum outcome;

struct matched {
  std::string_view type;
  std::string_view filter; ///< what follows "c="
  std::optional<std::string_view> field;
  outcome expected;
};

struct refused {
  std::string_view type;
  std::string_view filter; ///< the whole of it, about column c
  std::string_view why;
};

[[nodiscard]] std::vector<change_column> one_column(std::string_view type) {
  return {{"c", std::string{type}, false}};
}

[[nodiscard]] change_cell cell_of(std::optional<std::string_view> field) {
  return field ? change_cell{change_cell::kind::text, *field}
               : change_cell{change_cell::kind::null, {}};
}

[[nodiscard]] bool matches(std::string_view type, std::string_view filter,
                           const change_cell& field) {
  const auto read = change_filter::parse("c=" + std::string{filter}, one_column(type));
  if (!read)
    FAIL(filter << ": " << read.error().what);
  return read->matches(std::array{field});
}

void check_all(std::span<const matched> cases) {
  for (const auto& [type, filter, field, expected] : cases) {
    CAPTURE(type);
    CAPTURE(filter);
    CAPTURE(field.value_or("(null)"));
    CHECK(matches(type, filter, cell_of(field)) == (expected == yes));
  }
}

void check_refused(std::span<const refused> cases) {
  for (const auto& [type, filter, why] : cases) {
    CAPTURE(type);
    CAPTURE(filter);
    const auto read = change_filter::parse(filter, one_column(type));
    REQUIRE_FALSE(read);
    CHECK(read.error().code == errc::invalid_input);
    CHECK(read.error().what == why);
  }
}

constexpr auto null = std::optional<std::string_view>{};

TEST_CASE("integers compare as numbers, exactly") {
  check_all(std::array<matched, 18>{{
      {"int4", "eq.5", "5", yes},
      {"int4", "eq.05", "5", yes},
      {"int4", "eq. +5 ", "5", yes},
      {"int4", "eq.5", "50", no},
      {"int4", "neq.5", "6", yes},
      {"int4", "neq.5", "5", no},
      {"int4", "lt.10", "9", yes},
      {"int4", "lt.10", "10", no},
      {"int4", "lte.10", "10", yes},
      {"int4", "lte.10", "11", no},
      {"int4", "gt.9", "10", yes},
      {"int4", "gt.-9", "-10", no},
      {"int2", "gte.9", "9", yes},
      {"int2", "gte.9", "8", no},
      {"int8", "eq.9007199254740993", "9007199254740992", no},
      {"int8", "gt.9223372036854775806", "9223372036854775807", yes},
      {"oid", "eq.4294967295", "4294967295", yes},
      {"int4", "eq.5", "five", no},
  }});
}

TEST_CASE("numeric compares beyond what a double holds") {
  check_all(std::array<matched, 17>{{
      {"numeric", "eq.1.50", "1.5", yes},
      {"numeric", "eq.0", "0.000", yes},
      {"numeric", "eq.-0", "0", yes},
      {"numeric", "eq.1e3", "1000", yes},
      {"numeric", "eq.15e-1", "1.5", yes},
      {"numeric", "gt.123456789012345678901234567890.1",
       "123456789012345678901234567890.2", yes},
      {"numeric", "eq.123456789012345678901234567890.1",
       "123456789012345678901234567890.2", no},
      {"numeric", "lt.-2", "-10", yes},
      {"numeric", "lt.-1.5", "-1.49", no},
      {"numeric", "gt.0.09", "0.1", yes},
      {"numeric", "gt.0", "-0.1", no},
      {"numeric", "lt..5", "0.49", yes},
      {"numeric", "gt.5", "Infinity", yes},
      {"numeric", "lt.5", "-Infinity", yes},
      {"numeric", "gt.Infinity", "NaN", yes},
      {"numeric", "eq.nan", "NaN", yes},
      {"numeric", "lt.10", "9.99999999999999999999", yes},
  }});
}

TEST_CASE("floats compare as their type rounds them, NaN equal and above all") {
  check_all(std::array<matched, 10>{{
      {"float8", "eq.0.1000000000000000055", "0.1", yes},
      {"float4", "eq.0.1", "0.1", yes},
      {"float8", "eq.1e20", "1e+20", yes},
      {"float8", "eq.0", "-0", yes},
      {"float8", "gt.1", "NaN", yes},
      {"float8", "lt.1", "NaN", no},
      {"float8", "eq.NaN", "NaN", yes},
      {"float8", "gte.Infinity", "Infinity", yes},
      {"float8", "lt.inf", "1e308", yes},
      {"float8", "gt.-Infinity", "-5", yes},
  }});
}

TEST_CASE("timestamps compare as moments") {
  check_all(std::array<matched, 21>{{
      {"timestamptz", "eq.2026-11-22T10:00:00Z", "2026-11-22 10:00:00+00", yes},
      {"timestamptz", "eq.2026-11-22T10:00:00.000Z", "2026-11-22 10:00:00+00", yes},
      {"timestamptz", "eq.2026-11-22 12:30:00+02:30", "2026-11-22 10:00:00+00", yes},
      {"timestamptz", "eq.2026-11-22 05:00:00-0500", "2026-11-22 10:00:00+00", yes},
      {"timestamptz", "eq.2026-11-22 10:00", "2026-11-22 10:00:00+00", yes},
      {"timestamptz", "eq.2026-11-22T10:00:00 UTC", "2026-11-22 10:00:00+00", yes},
      {"timestamptz", "eq.2026-11-22", "2026-11-22 00:00:00+00", yes},
      {"timestamptz", "gt.2026-11-22T10:00:00Z", "2026-11-22 10:00:00.000001+00", yes},
      {"timestamptz", "gt.2026-11-22T10:00:00+01", "2026-11-22 09:30:00+00", yes},
      {"timestamptz", "lt.2026-11-22T10:00:00Z", "9999-11-22 10:00:00+00", no},
      {"timestamptz", "gt.9999-01-01", "10000-01-01 00:00:00+00", yes},
      {"timestamptz", "gt.9999-01-01", "infinity", yes},
      {"timestamptz", "gt.9999-01-01", "-infinity", no},
      {"timestamptz", "eq.infinity", "infinity", yes},
      {"timestamptz", "lt.0001-01-01", "0044-03-15 10:00:00+00 BC", yes},
      {"timestamptz", "eq.1969-12-31T23:59:59.9999995Z", "1970-01-01 00:00:00+00", yes},
      {"timestamp", "eq.2026-11-22T10:00:00+05", "2026-11-22 10:00:00", yes},
      {"timestamp", "lt.2026-11-22T10:00:00.5", "2026-11-22 10:00:00.49", yes},
      {"date", "eq.2026-11-22T10:00:00Z", "2026-11-22", yes},
      {"date", "lt.1969-12-31T10:00", "1969-12-31", no},
      {"date", "gt.2026-11-22", "2026-11-23", yes},
  }});
}

TEST_CASE("booleans, uuids and padded text compare by what they mean") {
  check_all(std::array<matched, 18>{{
      {"bool", "eq.true", "t", yes},
      {"bool", "eq.T", "t", yes},
      {"bool", "eq.on", "t", yes},
      {"bool", "eq.1", "t", yes},
      {"bool", "eq.yes", "t", yes},
      {"bool", "eq.false", "f", yes},
      {"bool", "eq.off", "f", yes},
      {"bool", "eq.0", "f", yes},
      {"bool", "eq.n", "t", no},
      {"bool", "gt.false", "t", yes},
      {"uuid", "eq.6F1C9A52-0000-4000-8000-00000000ABCD",
       "6f1c9a52-0000-4000-8000-00000000abcd", yes},
      {"uuid", "eq.{6f1c9a5200004000800000000000abcd}",
       "6f1c9a52-0000-4000-8000-00000000abcd", yes},
      {"uuid", "eq.6f1c9a52000040008000-00000000abcd",
       "6f1c9a52-0000-4000-8000-00000000abcd", yes},
      {"uuid", "neq.6f1c9a52-0000-4000-8000-00000000abcd",
       "6f1c9a52-0000-4000-8000-00000000abcd", no},
      {"bpchar", "eq.ab", "ab   ", yes},
      {"bpchar", "eq.ab", "abc  ", no},
      {"text", "eq.ab", "ab ", no},
      {"text", "eq.ab", "AB", no},
  }});
}

TEST_CASE("other types compare by bytes") {
  check_all(std::array<matched, 9>{{
      {"text", "eq.hey", "hey", yes},
      {"text", "eq.", "", yes},
      {"text", "eq.a.b=c", "a.b=c", yes},
      {"text", "gt.a", "b", yes},
      {"text", "gt.10", "9", yes},
      {"text", "lt.é", "z", yes},
      {"mood", "eq.happy", "happy", yes},
      {"jsonb", R"(eq.{"a": 1})", R"({"a": 1})", yes},
      {"_int4", R"(eq."{1,2}")", "{1,2}", yes},
  }});
}

TEST_CASE("null matches no comparison, nor its negation") {
  for (const auto filter : {"eq.a", "neq.a", "lt.a", "lte.a", "gt.a", "gte.a", "in.(a)",
                            "like.%", "ilike.%", "match..*", "imatch..*"}) {
    CAPTURE(filter);
    CHECK_FALSE(matches("text", filter, cell_of(null)));
    CHECK_FALSE(matches("text", "not." + std::string{filter}, cell_of(null)));
  }
}

TEST_CASE("a field that is unknown or missing never matches") {
  for (const auto filter : {"eq.a", "not.eq.a", "is.null", "not.is.null",
                            "isdistinct.a", "in.()", "not.in.()"}) {
    CAPTURE(filter);
    CHECK_FALSE(matches("text", filter, change_cell{}));
    const auto read =
        change_filter::parse("c=" + std::string{filter}, one_column("text"));
    REQUIRE(read);
    CHECK_FALSE(read->matches({}));
  }
}

TEST_CASE("not turns a known answer around") {
  check_all(std::array<matched, 8>{{
      {"int4", "not.eq.5", "6", yes},
      {"int4", "not.eq.5", "5", no},
      {"int4", "not.in.(1,2)", "3", yes},
      {"int4", "not.in.(1,2)", "2", no},
      {"text", "not.like.a%", "b", yes},
      {"text", "not.match.^a", "a", no},
      {"int4", "not.is.null", "3", yes},
      {"int4", "not.isdistinct.3", "3", yes},
  }});
}

TEST_CASE("is tests for null, and booleans for the three truths") {
  check_all(std::array<matched, 11>{{
      {"text", "is.null", null, yes},
      {"text", "is.null", "", no},
      {"text", "not.is.null", null, no},
      {"bool", "is.true", "t", yes},
      {"bool", "is.true", "f", no},
      {"bool", "is.true", null, no},
      {"bool", "not.is.true", null, yes},
      {"bool", "is.false", "f", yes},
      {"bool", "is.false", null, no},
      {"bool", "is.unknown", null, yes},
      {"bool", "is.unknown", "t", no},
  }});
}

TEST_CASE("isdistinct takes null for a value") {
  check_all(std::array<matched, 4>{{
      {"int4", "isdistinct.5", "6", yes},
      {"int4", "isdistinct.5", "5", no},
      {"int4", "isdistinct.5", null, yes},
      {"int4", "not.isdistinct.5", null, no},
  }});
}

TEST_CASE("in takes quoted, spaced, null and no values") {
  check_all(std::array<matched, 17>{{
      {"int4", "in.(1,2,3)", "2", yes},
      {"int4", "in.(1,2,3)", "4", no},
      {"int4", "in.( 1 , 02 )", "2", yes},
      {"text", R"(in.("a,b","c)d"))", "a,b", yes},
      {"text", R"(in.("a,b","c)d"))", "c)d", yes},
      {"text", R"(in.("a\"b","c\\d"))", R"(a"b)", yes},
      {"text", R"(in.("a\"b","c\\d"))", R"(c\d)", yes},
      {"text", R"(in.("null"))", "null", yes},
      {"text", R"(in.("",x))", "", yes},
      {"text", R"(in.(d"e,f))", R"(d"e)", yes},
      {"text", "in.(a b,c)", "a b", yes},
      {"text", "in.()", "a", no},
      {"text", "not.in.()", null, yes},
      {"text", "in.(a,null)", "a", yes},
      {"text", "in.(a,null)", "b", no},
      {"text", "not.in.(a,null)", "b", no},
      {"timestamptz", "in.(2026-11-22T10:00:00Z)", "2026-11-22 10:00:00+00", yes},
  }});
}

TEST_CASE("like knows %, _ and the backslash; ilike folds ASCII") {
  check_all(std::array<matched, 24>{{
      {"text", "like.hey", "hey", yes},
      {"text", "like.hey", "heys", no},
      {"text", "like.hey%", "heys", yes},
      {"text", "like.%ey", "hey", yes},
      {"text", "like.%e%", "hey", yes},
      {"text", "like.%x%", "hey", no},
      {"text", "like.%", "", yes},
      {"text", "like.", "", yes},
      {"text", "like.", "a", no},
      {"text", "like._", "é", yes},
      {"text", "like.__", "é", no},
      {"text", "like.%é_", "aéü", yes},
      {"text", "like.a%b%c", "aXbXbc", yes},
      {"text", "like.a%b%c", "aXbXb", no},
      {"text", R"(like.100\%)", "100%", yes},
      {"text", R"(like.100\%)", "1000", no},
      {"text", R"(like.a\_b)", "axb", no},
      {"text", R"(like.a\\b)", R"(a\b)", yes},
      {"text", "like.HEY", "hey", no},
      {"text", "ilike.HEY%", "heyDay", yes},
      {"text", "ilike.h_y", "HEY", yes},
      {"text", "ilike.h_y", "HELLO", no},
      {"varchar", R"(like."a,b%")", "a,bc", yes},
      {"text", "like.%%_%%", "", no},
  }});
}

TEST_CASE("match is a search with an extended regular expression") {
  check_all(std::array<matched, 32>{{
      {"text", "match.ell", "hello", yes},
      {"text", "match.^ell", "hello", no},
      {"text", "match.lo$", "hello", yes},
      {"text", "match.a|l", "hello", yes},
      {"text", "match.^(he|ye)l+o$", "hello", yes},
      {"text", "match.", "", yes},
      {"text", "match.b", "a\nb", yes},
      {"text", "match.a.b", "a\nb", yes},
      {"text", "match.HELLO", "hello", no},
      {"text", "imatch.HELLO", "hello", yes},
      {"text", "imatch.^[A-Z]+$", "hello", yes},
      {"text", R"(match.^\d{4}-\d{2}$)", "2026-11", yes},
      {"text", R"(match.^\d{4}-\d{2}$)", "2026-1x", no},
      {"text", R"(match.^\w+\s\W$)", "a_1 !", yes},
      {"text", R"(match.^[\w.-]+$)", "a_1.b-c", yes},
      {"text", R"(match.^[\w.-]+$)", "a b", no},
      {"text", R"(match.^[^\]\[\^\-]+$)", "ab", yes},
      {"text", R"(match.^[^\]\[\^\-]+$)", "a]", no},
      {"text", R"(match.^[a\]\[\^\-]+$)", "a]^-[", yes},
      {"text", R"(match.^\S\D$)", "ab", yes},
      {"text", R"(match.a\.b)", "axb", no},
      {"text", R"(match.a\tb)", "a\tb", yes},
      {"text", R"(match.a\/b)", "a/b", yes},
      {"text", "match.^a(?:bc)?$", "abc", yes},
      {"text", "match.^a+?$", "", no},
      {"text", "match.^a{2}$", "aa", yes},
      {"text", R"(match."^a{2,}$")", "aaaa", yes},
      {"text", R"(match."^a{2,3}$")", "aaaa", no},
      {"text", "match.^[[:alpha:]]+$", "ab", yes},
      {"text", "match.[]a]", "]", yes},
      {"text", "match.}", "}", yes},
      {"text", "match.é", "né", yes},
  }});
}

TEST_CASE("a text too long for a regular expression matches neither way") {
  const auto fits = std::string(4096, 'a');
  const auto longer = fits + "a";
  CHECK(matches("text", "match.^a", cell_of(fits)));
  CHECK_FALSE(matches("text", "match.^a", cell_of(longer)));
  CHECK_FALSE(matches("text", "not.match.^b", cell_of(longer)));
}

TEST_CASE("patterns made to run for ever do not") {
  const auto text = std::string(4096, 'a');
  CHECK_FALSE(matches("text", "match.(a*)*b", cell_of(text)));
  CHECK_FALSE(matches("text", "match.(a|a?)+$b", cell_of(text)));
  const auto book = std::string(200'000, 'a');
  auto pattern = std::string{"like.%"};
  for (auto i = 0; i < 50; ++i)
    pattern += "a%";
  CHECK_FALSE(matches("text", pattern + "b", cell_of(book)));
  const auto wide = "like.%" + std::string(5'000, 'a') + "b";
  CHECK_FALSE(matches("text", wide, cell_of(book)));
  CHECK_FALSE(matches("text", "not." + wide, cell_of(book)));
  CHECK(matches("text", "like.%b", cell_of(book + "b")));
}

TEST_CASE("all conditions must hold, each on its own column") {
  const auto columns = std::vector<change_column>{
      {"id", "int8", true}, {"body", "text", false}, {"done", "bool", false}};
  const auto cells = [](std::string_view id, std::string_view body,
                        std::optional<std::string_view> done) {
    return std::array{cell_of(id), cell_of(body), cell_of(done)};
  };
  const auto filter = change_filter::parse(
      R"( id=gt.5,id=in.(6,7,8), body=eq."a,b=eq.(c" ,done=is.null )", columns);
  REQUIRE(filter);
  CHECK(filter->matches(cells("6", "a,b=eq.(c", null)));
  CHECK_FALSE(filter->matches(cells("9", "a,b=eq.(c", null)));
  CHECK_FALSE(filter->matches(cells("6", "a", null)));
  CHECK_FALSE(filter->matches(cells("6", "a,b=eq.(c", "t")));
  const auto copy = *filter;
  CHECK(copy.matches(cells("8", "a,b=eq.(c", null)));
}

TEST_CASE("a value is unquoted only when the quotes enclose it") {
  check_all(std::array<matched, 6>{{
      {"text", R"(eq."a\"b\\")", R"(a"b\)", yes},
      {"text", R"(eq."")", "", yes},
      {"text", R"(eq.a"b)", R"(a"b)", yes},
      {"text", R"(eq."a"b)", R"("a"b)", yes},
      {"text", R"(eq."a)", R"("a)", yes},
      {"text", R"(eq.(a,b))", "(a,b)", yes},
  }});
}

TEST_CASE("no filter matches every change") {
  for (const auto text : {"", "   ", "\n\t"}) {
    const auto filter = change_filter::parse(text, one_column("text"));
    REQUIRE(filter);
    CHECK(filter->matches(std::array{change_cell{}}));
  }
  CHECK(change_filter{}.matches({}));
}

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

TEST_CASE("whatever a client writes is read or refused, and can be matched") {
  std::mt19937 random{20'261'122}; // NOLINT: the same numbers in every run
  constexpr auto pieces = std::array{
      "c="sv,      "not."sv,   "eq."sv, "lt."sv,  "in.("sv,       "like."sv,
      "imatch."sv, "match."sv, "is."sv, "null"sv, "true"sv,       "isdistinct."sv,
      "\""sv,      "\\"sv,     ","sv,   "("sv,    ")"sv,          "["sv,
      "]"sv,       "{2}"sv,    "*"sv,   "+"sv,    "?"sv,          "|"sv,
      "%"sv,       "_"sv,      "a"sv,   "1"sv,    "2026-11-22"sv, "T10:00"sv,
      "Z"sv,       "-"sv,      ":"sv,   "."sv,    "e5"sv,         "\xc3\xa9"sv,
      "\xff"sv,    "^"sv,      "$"sv,   " "sv,    "\\d"sv};
  constexpr auto types =
      std::array{"text"sv, "int8"sv,   "numeric"sv, "timestamptz"sv, "bool"sv,
                 "uuid"sv, "float8"sv, "date"sv,    "_text"sv};
  constexpr auto openings =
      std::array{"c=match."sv, "c=ilike."sv, "c=eq."sv, "c=in.("sv, "c="sv, ""sv};
  const auto piece = [&] { return pieces[random() % pieces.size()]; };
  auto accepted = 0;
  auto answers = std::array{0, 0};
  for (auto round = 0; round < 30'000; ++round) {
    auto text = std::string{openings[random() % openings.size()]};
    for (auto size = random() % 8; size > 0; --size)
      text += piece();
    const auto columns = one_column(types[random() % types.size()]);
    const auto filter = change_filter::parse(text, columns);
    if (!filter) {
      CHECK(filter.error().code == errc::invalid_input);
      continue;
    }
    ++accepted;
    auto field = std::string{};
    for (auto size = random() % 6; size > 0; --size)
      field += piece();
    ++answers[filter->matches(std::array{cell_of(field)}) ? 1 : 0];
    static_cast<void>(filter->matches(std::array{cell_of(null)}));
  }
  CHECK(accepted > 1000);
  CHECK(answers[0] > 100);
  CHECK(answers[1] > 100);
}

} // namespace
} // namespace jessica::wire

TEST_SUITE_END();
