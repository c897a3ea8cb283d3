#include "wire/rest_body.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace jessica::wire {
namespace {

using texts = std::vector<std::string>;

[[nodiscard]] json_body read(std::string text) {
  auto body = read_body(std::move(text));
  REQUIRE(body);
  return std::move(*body);
}

} // namespace

TEST_SUITE("wire.rest_body") {
  TEST_CASE("one object is one row, and its text stays as it came") {
    const auto body = read(R"( {"b":1,"a":{"x":[{"y":2}]},"b":null} )");
    CHECK_FALSE(body.array);
    CHECK(body.rows == 1);
    CHECK(body.objects);
    CHECK(body.uniform);
    CHECK(body.keys == texts{"a", "b"});
    CHECK(body.text == R"( {"b":1,"a":{"x":[{"y":2}]},"b":null} )");
  }

  TEST_CASE("an array of objects is as many rows") {
    const auto body = read(R"([{"a":1,"b":[{"z":1}]},{"b":2,"a":{}}])");
    CHECK(body.array);
    CHECK(body.rows == 2);
    CHECK(body.uniform);
    CHECK(body.keys == texts{"a", "b"});
    CHECK(read("[]").rows == 0);
    CHECK(read("[]").objects);
    CHECK(read("[{},{}]").rows == 2);
  }

  TEST_CASE("unequal keys are told") {
    CHECK_FALSE(read(R"([{"a":1},{"b":1}])").uniform);
    CHECK_FALSE(read(R"([{"a":1},{"a":1,"b":1}])").uniform);
    CHECK_FALSE(read(R"([{"a":1},{}])").uniform);
  }

  TEST_CASE("whatever is no object is told") {
    for (const auto* text : {"5", "\"x\"", "null", "true", "1.5", "[1]", "[[{}]]",
                             "[{},null]", "[\"x\"]", "[{\"a\":1},[]]"}) {
      CAPTURE(text);
      CHECK_FALSE(read(text).objects);
    }
  }

  TEST_CASE("keys may hold escapes and be longer than a buffer") {
    CHECK(read(R"({"a\"\u00e9":1})").keys == texts{"a\"\xc3\xa9"});
    const auto lengthy = std::string(10'000, 'k');
    CHECK(read("{\"" + lengthy + "\":1}").keys == texts{lengthy});
  }

  TEST_CASE("broken texts are PGRST102") {
    auto deep = std::string(200, '[') + std::string(200, ']');
    for (const auto& text :
         {std::string{}, std::string{" "}, std::string{"{"}, std::string{"{\"a\":}"},
          std::string{"[1,]"}, std::string{"{} {}"}, std::string{"{'a':1}"},
          std::string{"{\"a\":\"\xff\"}"}, deep}) {
      CAPTURE(text);
      const auto body = read_body(text);
      REQUIRE_FALSE(body);
      CHECK(body.error().code == errc::invalid_input);
      CHECK(body.error().reason == "PGRST102");
    }
  }

  TEST_CASE("a flat object's values are told as they were written") {
    using fields = std::vector<json_field>;
    CHECK(read(R"({"s":"a\u00e4\n","n":-1.50e3,"t":true,"f":false,"z":null,"e":""})")
              .flat == fields{{"s", "a\u00e4\n"},
                              {"n", "-1.50e3"},
                              {"t", "true"},
                              {"f", "false"},
                              {"z", std::nullopt},
                              {"e", ""}});
    CHECK(read("{}").flat == fields{});
    const auto digits = std::string(5000, '7');
    CHECK(read("{\"n\":" + digits + "}").flat == fields{{"n", digits}});
  }

  TEST_CASE("what is not one flat object is not told value by value") {
    for (const auto* text :
         {"5", "null", "[]", R"([{"a":1}])", R"({"a":{}})", R"({"a":[1]})",
          R"({"a":1,"b":{"c":2},"d":3})", R"({"a":1,"a":2})", R"({"a":"x\u0000y"})"}) {
      CAPTURE(text);
      CHECK_FALSE(read(text).flat);
    }
  }
}

} // namespace jessica::wire
