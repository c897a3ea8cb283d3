#include "bench/load/phoenix.hpp"

#include <doctest/doctest.h>

#include <initializer_list>

using namespace jessica::bench;
using namespace std::string_view_literals;

namespace {

server_frame text(std::string_view bytes) {
  return {opcode::text, bytes, bytes.size()};
}

server_frame binary(std::string_view bytes) {
  return {opcode::binary, bytes, bytes.size()};
}

} // namespace

TEST_SUITE("bench.phoenix") {
  TEST_CASE("a join has the client's shape") {
    CHECK(
        join_message("realtime:a", "T",
                     {.is_private = true, .self = false, .ack = true}) ==
        R"(["1","1","realtime:a","phx_join",{"config":{"broadcast":{"self":false,"ack":true},)"
        R"("presence":{"key":"","enabled":false},"postgres_changes":[],"private":true},)"
        R"("access_token":"T"}])");
  }

  TEST_CASE("without a token none is sent") {
    CHECK(join_message("realtime:a", "", {}).ends_with(R"("private":false}}])"));
  }

  TEST_CASE("a join names the rows to follow") {
    CHECK(join_message("realtime:a", "", {.changes = R"({"event":"*"})"})
              .contains(R"("postgres_changes":[{"event":"*"}],)"));
  }

  TEST_CASE("a heartbeat is the frame the client was seen to send") {
    CHECK(heartbeat_message(3) == R"([null,"3","phoenix","heartbeat",{}])");
  }

  TEST_CASE("a broadcast is the frame the client was seen to send") {
    CHECK(broadcast_message("realtime:room:1", 7, "tok", R"({"t":"hé","n":1})") ==
          "\x03\x01\x01\x0f\x03\x00\x01"
          "17realtime:room:1tok{\"t\":\"h\u00e9\",\"n\":1}"sv);
  }

  TEST_CASE("a delivered broadcast is read back") {
    const auto bytes = delivered_message("realtime:room:1", "tok", R"({"n":1})");
    CHECK(bytes.starts_with("\x04\x0f\x03\x00\x01realtime:"sv));
    const auto got = read_message(binary(bytes));
    REQUIRE(got.has_value());
    CHECK(got->kind == message::what::broadcast);
    CHECK(got->event == "tok");
    CHECK(got->payload == R"({"n":1})");
  }

  TEST_CASE("a reply says which push it answers and whether it went well") {
    const auto good = read_message(
        text(R"(["1","12","realtime:a","phx_reply",{"status":"ok","response":{}}])"));
    REQUIRE(good.has_value());
    CHECK(good->kind == message::what::reply);
    CHECK(good->ref == 12);
    CHECK(good->ok);
    const auto bad = read_message(
        text(R"(["1","3","realtime:a","phx_reply",{"status":"error","response":{}}])"));
    REQUIRE(bad.has_value());
    CHECK_FALSE(bad->ok);
  }

  TEST_CASE("other messages keep their event") {
    const auto got = read_message(text(R"([null,null,"realtime:a","phx_close",{}])"));
    REQUIRE(got.has_value());
    CHECK(got->kind == message::what::other);
    CHECK(got->event == "phx_close");
  }

  TEST_CASE("what is no message is refused") {
    for (const auto bad : {""sv, "{}"sv, "[]"sv, R"(["1","1"])"sv, R"([1,2,3,4,5])"sv,
                           R"(["1","1","open)"sv})
      CHECK_FALSE(read_message(text(bad)).has_value());
    for (const auto bad :
         {""sv, "\x04"sv, "\x03\x01\x01\x00\x01xy"sv, "\x04\x09\x01\x00\x01short"sv})
      CHECK_FALSE(read_message(binary(bad)).has_value());
  }
}
