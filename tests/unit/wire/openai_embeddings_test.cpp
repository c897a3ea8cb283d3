#include "wire/openai_embeddings.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>

TEST_SUITE("wire.openai_embeddings") {
  using namespace jessica;
  using namespace jessica::wire;

  namespace {

  constexpr auto limits = embed_limits{3, 10};

  embeddings_request good(std::string_view json) {
    auto read = read_embeddings(json, limits);
    REQUIRE_MESSAGE(read.has_value(), read.error().message);
    return std::move(*read);
  }
  openai_refusal bad(std::string_view json) {
    const auto read = read_embeddings(json, limits);
    REQUIRE_MESSAGE(!read.has_value(), json);
    return read.error();
  }

  } // namespace

  TEST_CASE("a text or several are read, with what is wanted of them") {
    CHECK(good(R"({"input":"a"})").texts == std::vector<std::string>{"a"});
    const auto all = good(R"({"input":["a","b"],"model":"m","dimensions":2,"user":"u",)"
                          R"("encoding_format":"base64","purpose":"query"})");
    CHECK(all.texts == std::vector<std::string>{"a", "b"});
    CHECK(all.model == "m");
    CHECK(all.dimensions == 2);
    CHECK(all.base64);
    CHECK(all.query);
    CHECK(!good(R"({"input":"a","encoding_format":"float"})").base64);
    CHECK(!good(R"({"input":"a","purpose":"document"})").query);
  }

  TEST_CASE("what cannot be embedded is refused by its name") {
    CHECK(bad("").param == "input");
    CHECK(bad("[]").code == "invalid_json");
    CHECK(bad(R"({"input":[]})").param == "input");
    CHECK(bad(R"({"input":""})").param == "input");
    CHECK(bad(R"({"input":["a"," "]})").param == "input[1]");
    CHECK(bad(R"({"input":[1,2]})").message.contains("tokens"));
    CHECK(bad(R"({"input":[[1,2]]})").message.contains("tokens"));
    CHECK(bad(R"({"input":{}})").param == "input");
    CHECK(bad(R"({"input":"a","encoding_format":"hex"})").param == "encoding_format");
    CHECK(bad(R"({"input":"a","purpose":"joy"})").param == "purpose");
    CHECK(bad(R"({"input":"a","dimensions":"two"})").param == "dimensions");
    CHECK(bad(R"({"input":"a","model":1})").param == "model");
    CHECK(bad(R"({"input":"12345678901"})").status == 413);
    CHECK(bad(R"({"input":["a","b","c","d"]})").status == 413);
  }

  TEST_CASE("vectors are numbers, or the bytes of their floats") {
    const auto vectors = std::array{std::vector{1.0F, -0.5F}, std::vector{0.25F}};
    CHECK(openai_embeddings_json({"m", vectors, 5, false}) ==
          R"({"object":"list","data":[)"
          R"({"object":"embedding","index":0,"embedding":[1,-0.5]},)"
          R"({"object":"embedding","index":1,"embedding":[0.25]}],"model":"m",)"
          R"("usage":{"prompt_tokens":5,"total_tokens":5}})");
    // 00 00 80 3f 00 00 00 bf, and 00 00 80 3e
    const auto coded = openai_embeddings_json({"m", vectors, 5, true});
    CHECK(coded.contains(R"("embedding":"AACAPwAAAL8=")"));
    CHECK(coded.contains(R"("embedding":"AACAPg==")"));
    const auto three = std::array{std::vector{1.0F, 1.0F, 1.0F}};
    CHECK(openai_embeddings_json({"m", three, 5, true})
              .contains(R"("embedding":"AACAPwAAgD8AAIA/")"));
  }

  TEST_CASE("models are a list of objects") {
    const auto ids = std::array<std::string, 2>{"a", "b\"c"};
    CHECK(models_json(ids, 17) ==
          R"({"object":"list","data":[)"
          R"({"id":"a","object":"model","created":17,"owned_by":"jessica"},)"
          R"({"id":"b\"c","object":"model","created":17,"owned_by":"jessica"}]})");
    CHECK(models_json({}, 17) == R"({"object":"list","data":[]})");
  }
}
