#include "engines/embeddings_answer.hpp"

#include <doctest/doctest.h>

using namespace jessica;
using namespace jessica::engines;

namespace {

[[nodiscard]] std::string refusal(std::string_view body, std::size_t texts = 1) {
  const auto made = read_embeddings(body, texts, 2);
  REQUIRE_FALSE(made.has_value());
  CHECK(made.error().code == errc::internal);
  return made.error().what;
}

} // namespace

TEST_SUITE("engines.embeddings_answer") {
  TEST_CASE("vectors come in the order of the texts and get length 1") {
    const auto made =
        read_embeddings(R"({"object":"list","data":[{"index":1,"embedding":[0,5]},)"
                        R"({"index":0,"embedding":[-3,4.0]}],"usage":{}})",
                        2, 2);
    REQUIRE_MESSAGE(made.has_value(), made.error().what);
    CHECK((*made)[0][0] == doctest::Approx(-0.6));
    CHECK((*made)[0][1] == doctest::Approx(0.8));
    CHECK((*made)[1] == std::vector<float>{0, 1});
  }

  TEST_CASE("without an index they are in order") {
    const auto made =
        read_embeddings(R"({"data":[{"embedding":[1,0]},{"embedding":[0,1]}]})", 2, 2);
    REQUIRE(made.has_value());
    CHECK((*made)[1] == std::vector<float>{0, 1});
  }

  TEST_CASE("what is no vector is refused") {
    CHECK(
        refusal(R"({"data":[{"index":0,"embedding":[1,2,3]}]})").contains("3 numbers"));
    CHECK(refusal(R"({"data":[{"index":0,"embedding":[]}]})").contains("0 numbers"));
    CHECK(refusal(R"({"data":[{"index":0,"embedding":[0,0]}]})").contains("direction"));
    CHECK(refusal(R"({"data":[{"index":0,"embedding":[1,null]}]})")
              .contains("no number"));
    CHECK(
        refusal(R"({"data":[{"index":0,"embedding":[1,NaN]}]})").contains("not JSON"));
    CHECK(refusal(R"({"data":[{"index":0,"embedding":[1,1e999]}]})")
              .contains("direction"));
    CHECK(
        refusal(R"({"data":[{"index":0,"embedding":"AAAA"}]})").contains("no vector"));
    CHECK(refusal(R"({"data":[{"index":0}]})").contains("no vector"));
  }

  TEST_CASE("too few, too many and repeated vectors are refused") {
    constexpr auto one = R"({"data":[{"index":0,"embedding":[1,0]}]})";
    CHECK(refusal(one, 2).contains("1 vectors for 2 texts"));
    CHECK(refusal(R"({"data":[]})").contains("0 vectors for 1 texts"));
    CHECK(refusal(R"({"data":[{"index":0,"embedding":[1,0]},)"
                  R"({"index":0,"embedding":[1,0]}]})",
                  2)
              .contains("index"));
    CHECK(refusal(R"({"data":[{"index":1,"embedding":[1,0]}]})").contains("index"));
    CHECK(refusal(R"({"data":[{"index":-1,"embedding":[1,0]}]})").contains("index"));
  }

  TEST_CASE("what is no answer at all is refused") {
    CHECK(refusal("").contains("not JSON"));
    CHECK(refusal("<html>").contains("not JSON"));
    CHECK(refusal("[]").contains("no list"));
    CHECK(refusal(R"({"data":{}})").contains("no list"));
  }

  TEST_CASE("an error's message is found in the forms that servers have") {
    CHECK(message_of(R"({"error":{"message":"no such model","code":4}})", "") ==
          "no such model");
    CHECK(message_of(R"({"error":"not\nloaded"})", "") == "not loaded");
    CHECK(message_of(R"({"object":"error","message":"too long"})", "") == "too long");
    CHECK(message_of(R"({"error":"no key k\u002d1, k-1"})", "k-1") ==
          "no key ***, ***");
    CHECK(message_of("no key k-1", "k-1") == "no key ***");
    CHECK(message_of("Bad Gateway", "") == "Bad Gateway");
    CHECK(message_of(std::string(5000, 'x'), "").size() < 400);
  }
}
