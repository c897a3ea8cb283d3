#include "storage/connection.hpp"
#include "storage/session.hpp"

#include <doctest/doctest.h>

#include <array>
#include <vector>

TEST_SUITE("storage.connection") {
  using namespace jessica;
  using storage::array_literal;
  using storage::parameter;

  TEST_CASE("an array literal quotes every text") {
    const auto items = std::array<parameter, 3>{"a", "b c", "d,e"};
    CHECK(array_literal(items) == R"({"a","b c","d,e"})");
  }

  TEST_CASE("quotes, backslashes and braces lose their meaning") {
    const auto items = std::array<parameter, 3>{R"(say "hi")", R"(back\slash)", "{x}"};
    CHECK(array_literal(items) == R"({"say \"hi\"","back\\slash","{x}"})");
  }

  TEST_CASE("a missing item is NULL and differs from the text NULL") {
    const auto items = std::array<parameter, 3>{std::nullopt, "NULL", ""};
    CHECK(array_literal(items) == R"({NULL,"NULL",""})");
  }

  TEST_CASE("no items make the empty array") {
    CHECK(array_literal({}) == "{}");
    CHECK(array_literal(std::vector<parameter>{std::nullopt}) == "{NULL}");
  }

  TEST_CASE("no rows answer every question") {
    const auto none = storage::rows{};
    CHECK(none.size() == 0);
    CHECK(none.null(0, 0));
    CHECK(none.text(0, 0).empty());
    CHECK(none.integer(0, 0) == 0);
    CHECK(none.affected() == 0);
  }

  TEST_CASE("a server that is not there is unavailable") {
    auto db = storage::connection{{.conninfo = "host=/nonexistent dbname=x"},
                                  storage::role::engine};
    const auto up = db.ensure();
    REQUIRE_FALSE(up);
    CHECK(up.error().code == errc::unavailable);
    const auto got = db.run(storage::statement{"select 1", {}});
    REQUIRE_FALSE(got);
    CHECK(got.error().code == errc::unavailable);
  }

  TEST_CASE("a broken connection string is refused without repeating its password") {
    auto db = storage::connection{{.conninfo = "postgresql://u:hunter2@[broken/x"},
                                  storage::role::engine};
    const auto up = db.ensure();
    REQUIRE_FALSE(up);
    CHECK(up.error().code == errc::invalid_input);
    CHECK_FALSE(up.error().what.contains("hunter2"));
  }

  TEST_CASE("text with a zero byte is refused before anything is sent") {
    auto db = storage::connection{{.conninfo = "host=/nonexistent"}, "x"};
    const auto got = db.run(storage::statement{"select $1", {std::string{"a\0b", 3}}});
    REQUIRE_FALSE(got);
    CHECK(got.error().code == errc::invalid_input);
  }

  TEST_CASE("an SQLSTATE says what the asker can do") {
    using storage::code_of;
    CHECK(code_of("42501") == errc::forbidden);
    CHECK(code_of("28P01") == errc::forbidden);
    CHECK(code_of("23505") == errc::conflict);
    CHECK(code_of("23503") == errc::invalid_input);
    CHECK(code_of("22P02") == errc::invalid_input);
    CHECK(code_of("42P01") == errc::invalid_input);
    CHECK(code_of("53300") == errc::overloaded);
    CHECK(code_of("57014") == errc::timeout);
    CHECK(code_of("57P01") == errc::unavailable);
    CHECK(code_of("08006") == errc::unavailable);
    CHECK(code_of("40P01") == errc::unavailable);
    CHECK(code_of("XX000") == errc::internal);
    CHECK(code_of("") == errc::internal);
  }
}
