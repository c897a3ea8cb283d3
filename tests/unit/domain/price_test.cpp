#include "domain/price.hpp"

#include <doctest/doctest.h>

#include <limits>

TEST_SUITE_BEGIN("domain.price");

using namespace jessica;

namespace {

const auto book = std::vector<price>{{"gpt-*", 1'000'000, 2'000'000},
                                     {"gpt-4o", 2'500'000, 10'000'000},
                                     {"gpt-4o-*", 150'000, 600'000},
                                     {"free", 0, 0}};

[[nodiscard]] std::string cost(std::string_view model, std::int64_t prompt,
                               std::int64_t completion) {
  const auto sum = cost_of(book, model, {prompt, completion, false});
  return sum ? text_of(*sum) : "none";
}

} // namespace

TEST_CASE("sums are exact, however small") {
  CHECK(cost("gpt-4o", 1, 0) == "0.0000025");
  CHECK(cost("gpt-4o", 1000, 500) == "0.0075");
  CHECK(cost("gpt-4o-mini", 1, 1) == "0.00000075");
  CHECK(cost("gpt-4o", 1'000'000, 1'000'000) == "12.5");
  CHECK(cost("gpt-4o", 4'000'000, 0) == "10");
}

TEST_CASE("the very name is stronger than a beginning, a longer one than a shorter") {
  CHECK(cost("gpt-4o", 0, 1'000'000) == "10");
  CHECK(cost("gpt-4o-mini", 0, 1'000'000) == "0.6");
  CHECK(cost("gpt-5", 0, 1'000'000) == "2");
  CHECK(cost("free", 5, 5) == "0");
  CHECK(cost("llama", 5, 5) == "none");
  CHECK(cost("", 5, 5) == "none");
  CHECK(cost_of({{"*", 1'000'000, 0}}, "", {1'000'000, 0, false}) ==
        amount{1'000'000'000'000});
}

TEST_CASE("absurd numbers end at the greatest sum, negative ones are nothing") {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  CHECK(cost_of(book, "gpt-4o", {most, most, false}) == amount{most});
  CHECK(cost("gpt-4o", -5, 0) == "0");
}

TEST_CASE("the dearest prices are looked for one by one") {
  const auto top = dearest({{"a", 1, 9}, {"b", 5, 2}});
  CHECK(top.prompt == 5);
  CHECK(top.completion == 9);
  CHECK(dearest({}).prompt == 0);
}

TEST_CASE("plain decimal numbers are read, others are not") {
  CHECK(parse_millionths("0.15") == 150'000);
  CHECK(parse_millionths("12") == 12'000'000);
  CHECK(parse_millionths("0.000001") == 1);
  CHECK(parse_millionths("999999.999999") == 999'999'999'999);
  for (const auto* bad : {"", ".", "1.", ".5", "-1", "+1", "1e3", "0.0000001", "1,5",
                          "1 ", "1000000", "1.-5", "99999999999999999999"})
    CHECK_MESSAGE(!parse_millionths(bad), bad);
}

TEST_SUITE_END();
