#include "wire/reply_events.hpp"
#include "wire/reply_params.hpp"

#include <doctest/doctest.h>

#include <string>

TEST_SUITE_BEGIN("wire.reply_params");

using namespace jessica;

TEST_CASE("what a sender may ask for is read") {
  const auto read = wire::read_reply_params(
      R"({"model":"m","system":"be kind","temperature":0,"top_p":1,"max_tokens":5,)"
      R"("stop":["a","b"],"theme":"dark"})");
  REQUIRE(read);
  CHECK(*read == reply_params{"m", "be kind", 0.0, 1.0, 5, {"a", "b"}});
  CHECK(wire::read_reply_params(R"({"stop":"x"})")->stop ==
        std::vector<std::string>{"x"});
  CHECK(*wire::read_reply_params("{}") == reply_params{});
  CHECK(*wire::read_reply_params(R"({"model":null,"stop":null})") == reply_params{});
}

TEST_CASE("tools may be any, none, or some") {
  using names = std::vector<std::string>;
  CHECK_FALSE(wire::read_reply_params("{}")->tools);
  CHECK_FALSE(wire::read_reply_params(R"({"tools":true})")->tools);
  CHECK(wire::read_reply_params(R"({"tools":false})")->tools == names{});
  CHECK(wire::read_reply_params(R"({"tools":[]})")->tools == names{});
  CHECK(wire::read_reply_params(R"({"tools":["a","b"]})")->tools == names{"a", "b"});
  auto many = std::string{"{\"tools\":[\"a\""};
  for (auto i = 1; i < 64; ++i)
    many += ",\"a\"";
  CHECK(wire::read_reply_params(many + "]}")->tools->size() == 64);
  CHECK_FALSE(wire::read_reply_params(many + ",\"a\"]}").has_value());
}

TEST_CASE("what cannot be is refused by its name") {
  const auto refused = [](const char* json, const char* field) {
    CAPTURE(json);
    const auto read = wire::read_reply_params(json);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().code == errc::invalid_input);
    CHECK(read.error().what.starts_with(std::string{"params."} + field));
  };
  refused(R"({"tools":"add"})", "tools");
  refused(R"({"tools":[5]})", "tools");
  refused(R"({"model":5})", "model");
  refused(R"({"model":""})", "model");
  refused(R"({"model":"a\nb"})", "model");
  refused(R"({"system":["x"]})", "system");
  refused(R"({"temperature":"hot"})", "temperature");
  refused(R"({"temperature":2.1})", "temperature");
  refused(R"({"temperature":-0.1})", "temperature");
  refused(R"({"top_p":0})", "top_p");
  refused(R"({"top_p":1.5})", "top_p");
  refused(R"({"max_tokens":0})", "max_tokens");
  refused(R"({"max_tokens":1.5})", "max_tokens");
  refused(R"({"stop":[1]})", "stop");
  refused(R"({"stop":[""]})", "stop");
  refused(R"({"stop":["a","b","c","d","e"]})", "stop");
}

TEST_CASE("a message with params that cannot be is refused when it is sent") {
  const auto sent =
      wire::read_send(R"({"content":"x","params":{"temperature":9}})", 100);
  REQUIRE_FALSE(sent.has_value());
  CHECK(sent.error().what == "params.temperature must be a number from 0 to 2");
}
