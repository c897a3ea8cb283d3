#include "wire/broadcast_options.hpp"
#include "wire/channel.hpp"

#include <doctest/doctest.h>

#include <string>

TEST_SUITE_BEGIN("wire.broadcast_options");

namespace jessica::wire {
namespace {

using namespace std::chrono_literals;

[[nodiscard]] result<join_request> join_with(const std::string& broadcast) {
  return read_join(R"({"config":{"private":true,"broadcast":)" + broadcast + "}}");
}

[[nodiscard]] std::optional<persist_wish> persist(std::string_view metadata) {
  const auto read = read_persist(metadata);
  REQUIRE(read.has_value());
  return *read;
}

TEST_CASE("metadata says whether a broadcast is stored, and for how long") {
  for (const auto* none :
       {"", "{}", R"({"persist":null})", R"({"persist":false})", R"({"other":1})"})
    CHECK_MESSAGE(!persist(none), none);
  CHECK(persist(R"({"persist":true})") == persist_wish{});
  CHECK(persist(R"({"persist":{}})") == persist_wish{});
  CHECK(persist(R"({"persist":{"ttl":60}})") == persist_wish{60s});
  CHECK(persist(R"({"persist":{"ttl":259200}})") == persist_wish{259'200s});
}

TEST_CASE("a wish that makes no sense is refused, not dropped") {
  for (const auto* metadata :
       {R"({"persist":1})", R"({"persist":"true"})", R"({"persist":[]})",
        R"({"persist":{"ttl":0}})", R"({"persist":{"ttl":-1}})",
        R"({"persist":{"ttl":1.5}})", R"({"persist":{"ttl":"60"}})",
        R"({"persist":{"ttl":259201}})", "[]", "1", "{"}) {
    CAPTURE(metadata);
    const auto read = read_persist(metadata);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == errc::invalid_input);
    CHECK(read.error().what.starts_with("persist must be"));
  }
}

TEST_CASE("a ttl in a query is whole seconds") {
  REQUIRE(read_ttl("60").has_value());
  CHECK(*read_ttl("60") == persist_wish{60s});
  for (const auto* digits :
       {"", "0", "-5", "1.5", "60s", " 60", "99999999999999999999"})
    CHECK_MESSAGE(!read_ttl(digits).has_value(), digits);
}

TEST_CASE("a join may ask for the past") {
  const auto all = join_with(R"({"replay":{"since":1700000000000}})");
  REQUIRE(all);
  CHECK(all->replay == replay_wish{1'700'000'000'000ms, 25});
  const auto few = join_with(R"({"replay":{"since":0,"limit":3}})");
  REQUIRE(few);
  CHECK(few->replay == replay_wish{0ms, 3});
  for (const auto* none : {"{}", R"({"replay":null})", "null"}) {
    const auto asked = join_with(none);
    REQUIRE(asked);
    CHECK_FALSE(asked->replay);
    CHECK_FALSE(asked->replication_ready);
  }
}

TEST_CASE("a bad since or limit says what is wrong") {
  const auto refusal = [](const std::string& replay) {
    const auto asked = join_with(R"({"replay":)" + replay + "}");
    REQUIRE_FALSE(asked);
    CHECK(asked.error().reason == "unable_to_replay");
    return asked.error().what;
  };
  for (const auto* since : {"{}", R"({"since":null})", R"({"since":"1"})",
                            R"({"since":-1})", R"({"since":1.5})", R"({"since":9e15})"})
    CHECK(refusal(since) ==
          "UnableToReplayMessages: since must be a time in milliseconds");
  for (const auto* limit : {R"({"since":1,"limit":0})", R"({"since":1,"limit":26})",
                            R"({"since":1,"limit":"5"})", R"({"since":1,"limit":2.5})"})
    CHECK(refusal(limit) == "UnableToReplayMessages: limit must be 1 to 25");
  for (const auto* replay : {"true", "[]", "1"})
    CHECK(refusal(replay) ==
          "UnableToReplayMessages: replay must be an object with since and limit");
}

TEST_CASE("a join may ask to hear when stored broadcasts come") {
  const auto asked = join_with(R"({"replication_ready":true})");
  REQUIRE(asked);
  CHECK(asked->replication_ready);
  CHECK_FALSE(join_with(R"({"replication_ready":7})"));
}

} // namespace
} // namespace jessica::wire

TEST_SUITE_END();
