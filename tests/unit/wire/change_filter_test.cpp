#include "tests/unit/wire/filter_cases.hpp"

#include <doctest/doctest.h>

#include <array>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

TEST_SUITE_BEGIN("wire.change_filter");

namespace jessica::wire {
namespace {

using namespace test;
using namespace std::string_view_literals;

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
