#include "bench/load/relay.hpp"

#include <doctest/doctest.h>

#include <initializer_list>

using namespace jessica::bench;

TEST_SUITE("bench.relay") {
  TEST_CASE("every payload has 120 bytes and gives its number back") {
    for (const auto number : {0ULL, 1ULL, 9'999'999'999ULL}) {
      CHECK(numbered_payload(number).size() == 120);
      CHECK(number_in(numbered_payload(number)) == number);
    }
  }

  TEST_CASE("a payload of another size has no number") {
    CHECK(number_in(numbered_payload(7).substr(1)) == 0);
    CHECK(number_in("") == 0);
  }
}
