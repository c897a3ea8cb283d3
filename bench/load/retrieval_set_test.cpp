#include "bench/load/retrieval_set.hpp"

#include <doctest/doctest.h>

using namespace jessica;
using namespace jessica::bench;

TEST_SUITE("bench.retrieval_set") {
  TEST_CASE("queries know their paraphrase, documents whether they are hard") {
    const auto made = read_retrieval_set("# remark\nq one\np first\nh hard\n\nq two\n"
                                         "p second\nd any\n");
    REQUIRE_MESSAGE(made.has_value(), made.error().what);
    CHECK(made->documents ==
          std::vector<std::string>{"first", "hard", "second", "any"});
    CHECK(made->hard == std::vector<bool>{false, true, false, false});
    CHECK(made->queries[1].text == "two");
    CHECK(made->queries[1].wanted == 2);
  }

  TEST_CASE("a line that does not belong there is named") {
    for (const auto* const bad :
         {"p first\n", "h hard\n", "q one\nq two\n", "q one\nh hard\n", "q one\n",
          "q one\np first\np again\n", "q one\np first\nx odd\n", "q one\np first\nd\n",
          "q one\np first\nd first\n", ""})
      CHECK_FALSE(read_retrieval_set(bad).has_value());
    CHECK(
        read_retrieval_set("q one\np first\nx odd\n").error().what.contains("line 3"));
  }

  TEST_CASE("scores follow the ranks") {
    const auto found = score_of({1, 2, 5, 10});
    CHECK(found.recall_at_1 == doctest::Approx(0.25));
    CHECK(found.recall_at_5 == doctest::Approx(0.75));
    CHECK(found.reciprocal_rank == doctest::Approx((1 + 0.5 + 0.2 + 0.1) / 4));
  }
}
