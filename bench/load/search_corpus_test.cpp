#include "bench/load/search_contender.hpp"
#include "bench/load/search_corpus.hpp"

#include <doctest/doctest.h>

#include <span>
#include <utility>
#include <vector>

using namespace jessica;
using namespace jessica::bench;

TEST_SUITE("bench.search") {
  TEST_CASE("vectors depend on their number only, and are of length 1") {
    const auto few = search_corpus{50, 5};
    const auto many = search_corpus{100, 5};
    for (auto n = std::size_t{0}; n < few.size(); ++n) {
      auto squares = 0.0F;
      for (auto i = std::size_t{0}; i < search_corpus::dimensions; ++i) {
        CHECK(few.vector(n)[i] == many.vector(n)[i]);
        squares += few.vector(n)[i] * few.vector(n)[i];
      }
      CHECK(squares == doctest::Approx(1));
    }
  }

  TEST_CASE("answers are the nearest of the owner's, and are recalled") {
    const auto corpus = search_corpus{300, 3};
    for (const auto& question : corpus.questions(5)) {
      REQUIRE(question.answer.size() == search_results);
      for (const auto n : question.answer)
        CHECK(n % 3 == question.owner);
      CHECK(recall_of(question.answer, question) == 1);
      CHECK(recall_of(std::span{question.answer}.first(5), question) == 0.5);
      CHECK(recall_of({}, question) == 0);
    }
  }

  TEST_CASE("given vectors are asked for with given ones, as many as there are") {
    const auto drawn = search_corpus{40, 2};
    auto vectors = std::vector<float>{};
    for (auto n = std::size_t{0}; n < drawn.size(); ++n)
      vectors.insert(vectors.end(), drawn.vector(n).begin(), drawn.vector(n).end());
    const auto third = drawn.vector(3);
    const auto given = search_corpus{vectors, {third.begin(), third.end()}, 1};
    CHECK(given.size() == drawn.size());
    const auto questions = given.questions(5);
    REQUIRE(questions.size() == 1);
    CHECK(questions.front().answer.front() == 3);
  }

  TEST_CASE("a way that misses the recall is taken only when none reaches it") {
    const auto corpus = search_corpus{60, 2};
    const auto questions = corpus.questions(20);
    const auto right = [](const search_corpus::question& asked) {
      return result<std::vector<std::uint32_t>>{asked.answer};
    };
    const auto half = [](const search_corpus::question& asked) {
      return result<std::vector<std::uint32_t>>{
          {asked.answer.begin(), asked.answer.begin() + 5}};
    };
    const auto wrong = [](const search_corpus::question&) {
      return result<std::vector<std::uint32_t>>{};
    };
    const auto taken = [&](std::vector<search_contender> ways) {
      return choose_way(std::move(ways), questions)
          .transform([](const search_contender& one) { return one.way; });
    };
    CHECK(taken({{"a", "wrong", wrong}, {"a", "right", right}, {"a", "half", half}}) ==
          "right");
    CHECK(taken({{"a", "wrong", wrong}, {"a", "half", half}}) == "half");
    CHECK(taken({}).error().code == errc::internal);
  }
}
