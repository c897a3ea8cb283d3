#include "wire/reply_events.hpp"

#include <doctest/doctest.h>

#include <string>

TEST_SUITE_BEGIN("wire.reply_events");

namespace jessica::wire {
namespace {

constexpr auto limit = std::size_t{1000};
constexpr auto conversation = "01890a5d-ac96-774b-bcce-b302099a8001";
constexpr auto message = "01890a5d-ac96-774b-bcce-b302099a8002";
constexpr auto reply = "01890a5d-ac96-774b-bcce-b302099a8003";

[[nodiscard]] reply_ref sample() {
  return {*message_id::parse(reply), 2};
}

[[nodiscard]] error refusal(std::string_view json) {
  const auto read = read_send(json, limit);
  REQUIRE_FALSE(read.has_value());
  return read.error();
}

TEST_CASE("reply.started names message, job and model, and no memories yet") {
  auto what = job{};
  what.id = {42};
  what.attempt = 3;
  what.message = *message_id::parse(message);
  what.reply = *message_id::parse(reply);
  CHECK(reply_started(what, "built\"in") ==
        R"({"id":"01890a5d-ac96-774b-bcce-b302099a8003",)"
        R"("message_id":"01890a5d-ac96-774b-bcce-b302099a8002","job_id":42,)"
        R"("attempt":3,"model":"built\"in","memories":[]})");
}

TEST_CASE("reply.started lists the memories that were given") {
  const auto one =
      recalled_memory{*message_id::parse(message), *conversation_id::parse(reply), 0.5F,
                      "user", "a \"dog\""};
  const auto event = reply_started(job{}, "m", std::span{&one, 1});
  CHECK(event.contains(
      R"("memories":[{"message_id":"01890a5d-ac96-774b-bcce-b302099a8002",)"
      R"("conversation_id":"01890a5d-ac96-774b-bcce-b302099a8003","score":0.5000,)"
      R"("excerpt":"a \"dog\""}])"));
}

TEST_CASE("reply.delta carries its range and text") {
  CHECK(reply_delta(sample(), 4, 6, "é \"x\"\n") ==
        R"({"id":"01890a5d-ac96-774b-bcce-b302099a8003","attempt":2,)"
        R"("first_seq":4,"seq":6,"text":"é \"x\"\n"})");
}

TEST_CASE("reply.snapshot carries the text so far") {
  CHECK(reply_snapshot(sample(), 9, "so far", "streaming") ==
        R"({"id":"01890a5d-ac96-774b-bcce-b302099a8003","attempt":2,)"
        R"("seq":9,"text":"so far","status":"streaming"})");
}

TEST_CASE("reply.snapshot tells the memories that the engine was given, if any") {
  const auto one = recalled_memory{.message = {},
                                   .conversation = {},
                                   .score = 0.5F,
                                   .role = "user",
                                   .excerpt = "a dog"};
  CHECK(reply_snapshot(sample(), 9, "x", "streaming", std::span{&one, 1})
            .ends_with(
                R"("memories":[{"message_id":"00000000-0000-0000-0000-000000000000",)"
                R"("conversation_id":"00000000-0000-0000-0000-000000000000",)"
                R"("score":0.5000,"excerpt":"a dog"}]})"));
}

TEST_CASE("reply.reset says why") {
  CHECK(
      reply_reset(sample(), "retry") ==
      R"({"id":"01890a5d-ac96-774b-bcce-b302099a8003","attempt":2,"reason":"retry"})");
}

TEST_CASE("reply.completed carries finish reason and usage") {
  CHECK(reply_completed(sample(), 9, "stop", {5, 9, true}) ==
        R"({"id":"01890a5d-ac96-774b-bcce-b302099a8003","attempt":2,"seq":9,)"
        R"("finish_reason":"stop","usage":{"prompt_tokens":5,)"
        R"("completion_tokens":9,"estimated":true}})");
}

TEST_CASE("usage names the cost of a model that has a price, exactly") {
  CHECK(reply_completed(sample(), 9, "stop", {5, 9, true, amount{1'500}})
            .ends_with(R"("estimated":true,"cost":0.0000000015}})"));
}

TEST_CASE("reply.failed carries code and message") {
  CHECK(reply_failed(sample(), 0, "engine_failed", "a \"b\"") ==
        R"({"id":"01890a5d-ac96-774b-bcce-b302099a8003","attempt":2,"seq":0,)"
        R"("error":{"code":"engine_failed","message":"a \"b\""}})");
}

TEST_CASE("reply.cancelled carries usage") {
  CHECK(reply_cancelled(sample(), 7, {1, 2, false}) ==
        R"({"id":"01890a5d-ac96-774b-bcce-b302099a8003","attempt":2,"seq":7,)"
        R"("usage":{"prompt_tokens":1,"completion_tokens":2,"estimated":false}})");
}

TEST_CASE("a receipt names its ids and the topic to join") {
  auto what = receipt{};
  what.conversation = *conversation_id::parse(conversation);
  what.message = *message_id::parse(message);
  what.reply = *message_id::parse(reply);
  what.job = {42};
  CHECK(receipt_json(what) ==
        R"({"conversation_id":"01890a5d-ac96-774b-bcce-b302099a8001",)"
        R"("message_id":"01890a5d-ac96-774b-bcce-b302099a8002",)"
        R"("reply_id":"01890a5d-ac96-774b-bcce-b302099a8003","job_id":42,)"
        R"("topic":"conversation:01890a5d-ac96-774b-bcce-b302099a8001"})");
}

TEST_CASE("a send needs only content, which is kept as it is") {
  const auto read = read_send(R"({"content":" hé\n"})", limit);
  REQUIRE(read.has_value());
  CHECK(read->content == " hé\n");
  CHECK_FALSE(read->conversation.has_value());
  CHECK_FALSE(read->client_id.has_value());
  CHECK(read->params == "{}");
}

TEST_CASE("a full send is read; null means absent and unknown keys are ignored") {
  const auto read = read_send(
      R"({"content":"x","conversation_id":"01890A5D-ac96-774b-bcce-b302099a8001",)"
      R"("client_id":"c1","params":{"temperature": 0.5},"other":[]})",
      limit);
  REQUIRE(read.has_value());
  CHECK(read->conversation == conversation_id::parse(conversation));
  CHECK(read->client_id == "c1");
  CHECK(read->params == R"({"temperature":5E-1})");
  const auto nulls = read_send(
      R"({"content":"x","conversation_id":null,"client_id":null,"params":null})",
      limit);
  REQUIRE(nulls.has_value());
  CHECK_FALSE(nulls->conversation.has_value());
  CHECK(nulls->params == "{}");
}

TEST_CASE("missing, empty and blank content is refused") {
  for (const auto* json : {"", "{}", R"({"content":null})", R"({"content":""})",
                           R"({"content":" \n\t\r "})", R"({"content":5})",
                           R"({"content":["x"]})", R"({"content":"a\u0000b"})"}) {
    CAPTURE(json);
    const auto why = refusal(json);
    CHECK(why.code == errc::invalid_input);
    CHECK(why.reason == "validation_failed");
    CHECK(why.what.starts_with("content "));
  }
}

TEST_CASE("content may have exactly the limit's bytes") {
  const auto with = [](std::size_t bytes) {
    return R"({"content":")" + std::string(bytes, 'x') + "\"}";
  };
  CHECK(read_send(with(limit), limit).has_value());
  const auto why = refusal(with(limit + 1));
  CHECK(why.code == errc::too_large);
  CHECK(why.reason == "message_too_large");
}

TEST_CASE("a conversation must be a UUID") {
  for (const auto* id :
       {"\"\"", "\"x\"", "5", "{}", "\"00000000-0000-0000-0000-000000000000\"",
        "\"01890a5d-ac96-774b-bcce-b302099a800\""}) {
    CAPTURE(id);
    const auto why =
        refusal(R"({"content":"x","conversation_id":)" + std::string{id} + "}");
    CHECK(why.code == errc::invalid_input);
    CHECK(why.reason == "validation_failed");
    CHECK(why.what.starts_with("conversation_id "));
  }
}

TEST_CASE("a client_id has 1 to 128 bytes") {
  const auto with = [](std::size_t bytes) {
    return R"({"content":"x","client_id":")" + std::string(bytes, 'c') + "\"}";
  };
  CHECK(read_send(with(1), limit).has_value());
  CHECK(read_send(with(128), limit).has_value());
  CHECK(refusal(with(0)).reason == "validation_failed");
  CHECK(refusal(with(129)).reason == "validation_failed");
  CHECK(refusal(R"({"content":"x","client_id":7})").reason == "validation_failed");
}

TEST_CASE("params is an object of at most 16 KiB that a jsonb column takes") {
  const auto with = [](std::size_t bytes) {
    const auto fixed = std::string_view{R"({"a":""})"}.size();
    return R"({"content":"x","params":{"a":")" + std::string(bytes - fixed, 'p') +
           "\"}}";
  };
  CHECK(read_send(with(16'384), limit).has_value());
  CHECK(refusal(with(16'385)).code == errc::too_large);
  CHECK(refusal(with(16'385)).reason == "params_too_large");
  for (const auto* params :
       {"[]", "\"{}\"", "5", "true", R"({"a":"\u0000"})", R"({"a":1e999})"}) {
    CAPTURE(params);
    CHECK(refusal(R"({"content":"x","params":)" + std::string{params} + "}").reason ==
          "validation_failed");
  }
}

TEST_CASE(
    "broken JSON, another kind of document, bad UTF-8 and deep nesting are refused") {
  CHECK(refusal("{").reason == "bad_json");
  CHECK(refusal("[]").reason == "bad_json");
  CHECK(refusal("\"x\"").reason == "bad_json");
  CHECK(refusal("{\"content\":\"\xff\"}").reason == "bad_json");
  CHECK(refusal(R"({"content":"x","params":{"a":)" + std::string(40, '[') +
                std::string(40, ']') + "}}")
            .reason == "bad_json");
}

} // namespace
} // namespace jessica::wire

TEST_SUITE_END();
