#include "bench/load/change_book.hpp"

#include <doctest/doctest.h>

using namespace jessica::bench;

TEST_SUITE("bench.change_book") {
  TEST_CASE("rows that come once and in order leave nothing to report") {
    auto book = change_book{3, 2, 1}; // followers 0 and 2 are of user 0
    CHECK(book.take(0, 0));
    CHECK(book.take(1, 1));
    CHECK(book.take(2, 0));
    CHECK(book.take(0, 2));
    CHECK(book.take(2, 2));
    book.close(0, 3);
    CHECK(book.missing() == 0);
    CHECK(book.repeated() == 0);
    CHECK(book.leaked() == 0);
  }

  TEST_CASE("a row that was left out is missing") {
    auto book = change_book{1, 2, 1};
    CHECK(book.take(0, 0));
    CHECK(book.take(0, 6));
    CHECK(book.missing() == 2);
    book.close(0, 7);
    CHECK(book.missing() == 2);
  }

  TEST_CASE("what has not come by the end is missing, once") {
    auto book = change_book{2, 2, 1};
    CHECK(book.take(0, 0));
    book.close(0, 4); // follower 0 lacks row 2, follower 1 rows 1 and 3
    CHECK(book.missing() == 3);
    book.close(0, 4);
    CHECK(book.missing() == 3);
  }

  TEST_CASE("a row that comes again, or late, is repeated") {
    auto book = change_book{1, 1, 1};
    CHECK(book.take(0, 0));
    CHECK(book.take(0, 1));
    CHECK_FALSE(book.take(0, 1));
    CHECK_FALSE(book.take(0, 0));
    CHECK(book.repeated() == 2);
    CHECK(book.missing() == 0);
  }

  TEST_CASE("somebody else's row is leaked") {
    auto book = change_book{2, 2, 1};
    CHECK_FALSE(book.take(0, 1));
    CHECK(book.leaked() == 1);
    CHECK(book.take(0, 0));
  }

  TEST_CASE("only one writer's rows have an order") {
    auto book = change_book{1, 1, 3};
    CHECK(book.take(0, 4)); // the second row of writer 1: its first is missing
    CHECK(book.take(0, 0));
    CHECK(book.take(0, 2));
    CHECK_FALSE(book.take(0, 1));
    CHECK(book.missing() == 1);
    CHECK(book.repeated() == 1);
    book.close(2, 2);
    CHECK(book.missing() == 2);
  }
}
