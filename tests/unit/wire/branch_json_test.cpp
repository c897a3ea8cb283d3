#include "wire/branch_json.hpp"

#include <doctest/doctest.h>

#include <string>

TEST_SUITE("wire.branch_json") {
  using namespace jessica;
  using namespace jessica::wire;

  constexpr auto id = "44444444-4444-4444-8444-444444444444";

  [[nodiscard]] static std::string with(std::string field, std::string more = {}) {
    return "{\"" + field + "\":\"" + id + "\"" + more + "}";
  }

  TEST_CASE("an edit is a message with the one it is a version of") {
    const auto read = read_edit(with("message_id", R"(,"content":"x","client_id":"c",)"
                                                   R"("params":{"temperature":1})"),
                                10);
    REQUIRE(read);
    CHECK(read->message.str() == id);
    CHECK(read->content == "x");
    CHECK(read->client_id == "c");
    CHECK(read->params == R"({"temperature":1})");
    CHECK(read_edit(with("message_id", R"(,"content":"x")"), 10)->params == "{}");
  }

  TEST_CASE("a bad edit is refused as a bad message is") {
    for (const auto* more :
         {"", R"(,"content":" ")", R"(,"content":"x","client_id":"")",
          R"(,"content":"x","params":[])"})
      CHECK(read_edit(with("message_id", more), 10).error().code ==
            errc::invalid_input);
    CHECK(
        read_edit(with("message_id", R"(,"content":"0123456789a")"), 10).error().code ==
        errc::too_large);
    CHECK_FALSE(read_edit(R"({"content":"x"})", 10));
    CHECK_FALSE(read_edit(R"({"content":"x","message_id":"y"})", 10));
  }

  TEST_CASE("without params a reply is asked for as it was") {
    for (const auto* more : {"", R"(,"params":null)"}) {
      const auto again = read_regenerate(with("reply_id", more));
      REQUIRE(again);
      CHECK(again->reply.str() == id);
      CHECK_FALSE(again->params);
      CHECK_FALSE(read_continue(with("reply_id", more))->params);
    }
    CHECK(read_continue(with("reply_id", R"(,"params":{})"))->params == "{}");
    CHECK(read_regenerate(with("reply_id", R"(,"params":{"model":"m"})"))->params ==
          R"({"model":"m"})");
  }

  TEST_CASE("bad params are refused") {
    for (const auto* more : {R"(,"params":3)", R"(,"params":{"temperature":9})"})
      CHECK(read_regenerate(with("reply_id", more)).error().code ==
            errc::invalid_input);
    const auto large = R"(,"params":{"x":")" + std::string(20'000, 'x') + R"("})";
    CHECK(read_continue(with("reply_id", large)).error().code == errc::too_large);
    CHECK_FALSE(read_continue("{}"));
    CHECK_FALSE(read_regenerate("["));
  }

  TEST_CASE("a choice names a message") {
    CHECK(read_choice(with("message_id"))->message.str() == id);
    CHECK_FALSE(read_choice("{}"));
    CHECK_FALSE(read_choice(R"({"message_id":5})"));
  }
}
