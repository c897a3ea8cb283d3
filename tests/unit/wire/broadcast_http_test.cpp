#include "wire/broadcast_http.hpp"

#include <doctest/doctest.h>

#include <string>

TEST_SUITE_BEGIN("wire.broadcast_http");

namespace jessica::wire {
namespace {

using namespace std::chrono_literals;

[[nodiscard]] http_result<outgoing_broadcast>
single(std::string_view rest, std::string_view query = "",
       std::string_view body = R"({"a":1})",
       std::string_view type = "application/json") {
  return read_broadcast_request(rest, query, type, body);
}

void refused(const http_result<outgoing_broadcast>& read, int status,
             std::string_view body) {
  REQUIRE_FALSE(read);
  CHECK(read.error().status == status);
  CHECK(read.error().body == body);
}

[[nodiscard]] std::string batch_refusal(std::string_view body, std::size_t most = 10) {
  const auto read = read_broadcast_batch(body, most);
  REQUIRE_FALSE(read);
  return std::to_string(read.error().status) + ' ' + read.error().body;
}

TEST_CASE("the captured call of httpSend is read whole") {
  const auto read = single("other/events/ev", "apikey=jwt&vsn=2.0.0");
  REQUIRE(read);
  CHECK(read->topic == "other");
  CHECK(read->what.event == "ev");
  CHECK(read->what.json);
  CHECK(read->what.payload == R"({"a":1})");
  CHECK_FALSE(read->is_private);
  CHECK_FALSE(read->persist);
}

TEST_CASE("topic and event are percent-encoded segments") {
  const auto read = single("room%3A1%2Fevents%2Fx/events/caf%C3%A9+%2B");
  REQUIRE(read);
  CHECK(read->topic == "room:1/events/x");
  CHECK(read->what.event == "caf\u00e9++");
}

TEST_CASE("the payload is any JSON, or bytes") {
  for (const auto* body : {"1", "null", "\"x\"", "[]", "{}"})
    CHECK_MESSAGE(single("t/events/e", "", body), body);
  const auto bytes = std::string{"\x00\x01\xff", 3};
  const auto read = single("t/events/e", "", bytes, "application/octet-stream");
  REQUIRE(read);
  CHECK_FALSE(read->what.json);
  CHECK(read->what.payload == bytes);
  CHECK(single("t/events/e", "", "{}", "Application/JSON; charset=utf-8"));
}

TEST_CASE("private and persist come in the query") {
  const auto lasting = single("t/events/e", "private=true&persist=true");
  REQUIRE(lasting);
  CHECK(lasting->is_private);
  CHECK(lasting->persist == persist_wish{});
  const auto passing = single("t/events/e", "persist%5Bttl%5D=60&private=true");
  REQUIRE(passing);
  CHECK(passing->persist == persist_wish{60s});
  refused(single("t/events/e", "persist=true"), 422,
          R"({"errors":{"persist":["needs a private channel"]}})");
  const auto bad = single("t/events/e", "private=true&persist[ttl]=x");
  REQUIRE_FALSE(bad);
  CHECK(bad.error().status == 422);
}

TEST_CASE("what is neither JSON nor bytes is 415, and another path 404") {
  for (const auto* type : {"", "text/plain", "application/jsonx"}) {
    const auto read = single("t/events/e", "", "{}", type);
    REQUIRE_FALSE(read);
    CHECK(read.error().status == 415);
    CHECK(read.error().body.starts_with(R"({"error":"Unsupported Media Type)"));
  }
  for (const auto* rest : {"t", "t/events", "t/event/e", "t/events/e/f"})
    CHECK_MESSAGE(single(rest).error_or(problem{}).status == 404, rest);
}

TEST_CASE("names must be there, fit, and be text") {
  refused(single("/events/e"), 422, R"({"errors":{"topic":["can't be blank"]}})");
  refused(single("t/events/"), 422, R"({"errors":{"event":["can't be blank"]}})");
  CHECK(single(std::string(246, 't') + "/events/" + std::string(255, 'e')));
  refused(single(std::string(247, 't') + "/events/" + std::string(256, 'e')), 422,
          R"x({"errors":{"topic":["should be at most 246 byte(s)"],)x"
          R"x("event":["should be at most 255 byte(s)"]}})x");
  for (const auto* bad : {"%", "%4", "%zz", "%00", "%ff", "%+1"})
    refused(single(std::string{bad} + "/events/e"), 422,
            R"({"errors":{"topic":["is invalid"]}})");
}

TEST_CASE("a payload that is no JSON is 422") {
  refused(single("t/events/e", "", "{"), 422,
          R"({"errors":{"payload":["is invalid"]}})");
  refused(single("t/events/e", "", ""), 422,
          R"({"errors":{"payload":["can't be blank"]}})");
}

TEST_CASE("the captured batch is read in order") {
  const auto read = read_broadcast_batch(
      R"({"messages":[{"topic":"other","event":"ev","payload":{"a":1},"private":false},)"
      R"({"topic":"p","event":"x","payload":{},"private":true}]})",
      10);
  REQUIRE(read);
  REQUIRE(read->size() == 2);
  CHECK(read->at(0).topic == "other");
  CHECK(read->at(0).what.payload == R"({"a":1})");
  CHECK_FALSE(read->at(0).is_private);
  CHECK(read->at(1).is_private);
  CHECK_FALSE(read->at(1).persist);
  CHECK(read_broadcast_batch(R"({"messages":[]})", 10)->empty());
}

TEST_CASE("a batch with faults is refused whole, each message with its own") {
  CHECK(batch_refusal(R"({"messages":[{"topic":"t","event":"e"}]})") ==
        R"(422 {"errors":{"messages":[{"payload":["can't be blank"]}]}})");
  CHECK(
      batch_refusal(
          R"({"messages":[{"topic":"t","event":"e","payload":{}},{"payload":[]},7]})") ==
      R"(422 {"errors":{"messages":[{},{"payload":["is invalid"],"topic":["can't be blank"],)"
      R"("event":["can't be blank"]},{"payload":["can't be blank"],)"
      R"("topic":["can't be blank"],"event":["can't be blank"]}]}})");
  CHECK(batch_refusal("{}") == R"(422 {"errors":{"messages":["can't be blank"]}})");
  CHECK(batch_refusal("[") == R"(422 {"errors":{"messages":["can't be blank"]}})");
  CHECK(batch_refusal(R"({"messages":{}})") ==
        R"(422 {"errors":{"messages":["is invalid"]}})");
}

TEST_CASE("a batch is bounded") {
  CHECK(
      batch_refusal(R"({"messages":[1,2,3]})", 2) ==
      R"(429 {"message":"Too many messages to broadcast, please reduce the batch size"})");
}

TEST_CASE("other failures in these calls' words") {
  const auto told = [](errc code, std::string reason = {}) {
    const auto made = broadcast_problem({code, {}, std::move(reason), nullptr});
    return std::to_string(made.status) + ' ' + made.body;
  };
  CHECK(told(errc::unauthenticated, "expired") == R"(401 {"message":"Unauthorized"})");
  CHECK(told(errc::unauthenticated, "no_api_key") ==
        R"(401 {"message":"No API key found in request"})");
  CHECK(told(errc::forbidden) == R"(403 {"message":"Unauthorized"})");
  CHECK(told(errc::invalid_input) == R"(422 {"errors":{"payload":["is invalid"]}})");
  CHECK(told(errc::overloaded, "too_many_messages") ==
        R"(429 {"message":"Too many messages per second"})");
  CHECK(told(errc::unavailable).starts_with("503 "));
}

} // namespace
} // namespace jessica::wire

TEST_SUITE_END();
