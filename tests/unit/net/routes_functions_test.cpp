#include "route_world.hpp"

#include <doctest/doctest.h>

namespace {

using namespace jessica;
using test::field;
using test::header;

constexpr auto enqueue_path = "/functions/v1/enqueue-inference";
constexpr auto stop_path = "/functions/v1/stop-inference";
constexpr auto worker_path = "/functions/v1/run-inference-worker";

struct function_world : test::route_world {
  receipt stored{*conversation_id::parse("33333333-3333-4333-8333-333333333333"),
                 *message_id::parse("44444444-4444-4444-8444-444444444444"),
                 *message_id::parse("55555555-5555-4555-8555-555555555555"),
                 {7},
                 false};

  function_world() {
    enqueueing.say = [this](const auto&) -> result<receipt> { return stored; };
  }

  net::http_response enqueue(std::string body) {
    return ask(as_user("POST", enqueue_path, std::move(body)));
  }
};

} // namespace

TEST_SUITE("net.routes_functions") {

  TEST_CASE_FIXTURE(function_world,
                    "a message opens a conversation when none is named") {
    const auto answer = enqueue(R"({"content":"hello"})");
    CHECK(answer.status == 202);
    CHECK(header(answer, "Content-Type") == "application/json");
    CHECK(field(answer, "conversation_id") == stored.conversation.str());
    CHECK(field(answer, "message_id") == stored.message.str());
    CHECK(field(answer, "reply_id") == stored.reply.str());
    CHECK(field(answer, "topic") == "conversation:" + stored.conversation.str());
    const auto& sent = enqueueing.asked.value().what;
    CHECK(sent.opens);
    CHECK_FALSE(sent.conversation.none());
    CHECK(sent.author == grant.user.id);
    CHECK(sent.content == "hello");
  }

  TEST_CASE_FIXTURE(function_world, "a message goes to the conversation it names") {
    CHECK(enqueue(R"({"content":"hello","client_id":"c1","params":{"a":1},)"
                  R"("conversation_id":"33333333-3333-4333-8333-333333333333"})")
              .status == 202);
    const auto& sent = enqueueing.asked.value().what;
    CHECK_FALSE(sent.opens);
    CHECK(sent.conversation == stored.conversation);
    CHECK(sent.client_id == "c1");
    CHECK(sent.params == R"({"a":1})");
  }

  TEST_CASE_FIXTURE(function_world, "a repeated message gives the same ids") {
    const auto first = enqueue(R"({"content":"hello","client_id":"c1"})");
    stored.repeated = true;
    const auto again = enqueue(R"({"content":"hello","client_id":"c1"})");
    CHECK(again.status == 202);
    CHECK(again.body == first.body);
  }

  TEST_CASE_FIXTURE(function_world, "the author is the token's, never the body's") {
    enqueue(R"({"content":"x","author":"99999999-9999-4999-8999-999999999999",)"
            R"("user_id":"99999999-9999-4999-8999-999999999999"})");
    CHECK(enqueueing.asked.value().what.author == grant.user.id);
  }

  TEST_CASE_FIXTURE(function_world, "a stop is asked for as the token's user") {
    stopping.say = [](const auto&) -> result<stop_receipt> {
      return stop_receipt{{7}, "cancelling"};
    };
    const auto answer = ask(
        as_user("POST", stop_path, R"({"reply_id":")" + stored.reply.str() + R"("})"));
    CHECK(answer.status == 200);
    CHECK(field(answer, "status") == "cancelling");
    CHECK(stopping.asked.value().who->user == grant.user.id);
    CHECK(stopping.asked.value().reply == stored.reply);
  }

  TEST_CASE_FIXTURE(function_world, "a stop of nobody's reply, or of none, says so") {
    stopping.say = [](const auto&) -> result<stop_receipt> {
      return fail(errc::not_found, "no such reply", "reply_not_found");
    };
    for (const auto* body : {"", "{}", R"({"reply_id":1})", R"({"reply_id":"x"})"})
      CHECK(ask(as_user("POST", stop_path, body)).status == 400);
    CHECK_FALSE(stopping.asked);
    const auto answer = ask(
        as_user("POST", stop_path, R"({"reply_id":")" + stored.reply.str() + R"("})"));
    CHECK(answer.status == 404);
    CHECK(field(answer, "code") == "reply_not_found");
    CHECK(ask(as_anon("POST", stop_path, "{}")).status == 401);
  }

  TEST_CASE_FIXTURE(function_world, "the service role makes a node claim jobs now") {
    claiming.say = [](const auto&) -> result<actors::queue_report> {
      return actors::queue_report{2, 5, 1};
    };
    const auto answer =
        ask(with_token("sb_secret_test", "POST", worker_path, R"({"max":2})"));
    CHECK(answer.status == 200);
    CHECK(answer.body == R"({"claimed":2,"running":5,"waiting":1})");
    CHECK(claiming.asked.value().max == 2);
    CHECK(ask(with_token("sb_secret_test", "POST", worker_path)).status == 200);
    CHECK_FALSE(claiming.asked.value().max);
  }

  TEST_CASE_FIXTURE(function_world, "nobody else runs the worker, and no bad max") {
    CHECK(ask(as_user("POST", worker_path)).status == 403);
    CHECK(ask(as_anon("POST", worker_path)).status == 403);
    CHECK(ask(bare("POST", worker_path)).status == 401);
    for (const auto* body : {R"({"max":0})", R"({"max":"many"})", "["})
      CHECK(ask(with_token("sb_secret_test", "POST", worker_path, body)).status == 400);
    CHECK_FALSE(claiming.asked);
  }

  TEST_CASE_FIXTURE(function_world, "bad messages reach no actor") {
    for (const auto* body :
         {"", "{", "[]", "{}", R"({"content":""})", R"({"content":7})",
          R"({"content":"x","conversation_id":"nonsense"})",
          R"({"content":"x","client_id":""})", R"({"content":"x","params":[]})",
          "{\"content\":\"\xff\"}"}) {
      const auto answer = enqueue(body);
      CHECK_MESSAGE(answer.status == 400, body);
      CHECK(field(answer, "code") != "<none>");
    }
    CHECK_FALSE(enqueueing.asked.has_value());
  }

  TEST_CASE_FIXTURE(function_world, "a message over the limit is a 413") {
    with.settings.inference.max_content_bytes = 4;
    CHECK(enqueue(R"({"content":"12345"})").status == 413);
    CHECK(enqueue(R"({"content":"1234"})").status == 202);
  }

  TEST_CASE_FIXTURE(function_world, "only a signed-in user may send") {
    auto none = bare("POST", enqueue_path, R"({"content":"x"})");
    none.headers = {{"apikey", "sb_publishable_test"}};
    const auto missing = ask(none);
    CHECK(missing.status == 401);
    CHECK(field(missing, "code") == "UNAUTHORIZED_NO_AUTH_HEADER");
    const auto key = ask(as_anon("POST", enqueue_path, R"({"content":"x"})"));
    CHECK(key.status == 401);
    CHECK(field(key, "code") == "UNAUTHORIZED_INVALID_JWT");
    const auto forged =
        ask(with_token("a.b.c", "POST", enqueue_path, R"({"content":"x"})"));
    CHECK(forged.status == 401);
    CHECK(field(forged, "code") == "UNAUTHORIZED_INVALID_JWT");
    CHECK_FALSE(enqueueing.asked.has_value());
  }

  TEST_CASE_FIXTURE(function_world,
                    "what persistence refuses is told with its status") {
    struct row {
      errc code;
      int status;
    };
    for (const auto& [code, status] :
         {row{errc::forbidden, 403}, row{errc::not_found, 404},
          row{errc::overloaded, 429}, row{errc::unavailable, 503}}) {
      enqueueing.say = [&](const auto&) -> result<receipt> {
        return fail(code, "inner detail");
      };
      const auto answer = enqueue(R"({"content":"x"})");
      CHECK(answer.status == status);
      CHECK_FALSE(answer.body.contains("inner detail"));
    }
  }

  TEST_CASE_FIXTURE(function_world,
                    "overload says when to come back, as a relay error") {
    enqueueing.say = [](const auto&) -> result<receipt> {
      return fail(errc::overloaded, "");
    };
    const auto answer = enqueue(R"({"content":"x"})");
    CHECK_FALSE(header(answer, "Retry-After").empty());
    CHECK(header(answer, "X-Relay-Error") == "true");
  }

  TEST_CASE_FIXTURE(function_world, "an unknown function is a 404") {
    for (const auto* path : {"/functions/v1/nothing", "/functions/v1/",
                             "/functions/v1/enqueue-inference/x"}) {
      const auto answer = ask(as_user("POST", path, "{}"));
      CHECK(answer.status == 404);
      CHECK(field(answer, "code") == "NOT_FOUND");
      CHECK(field(answer, "message") == "Requested function was not found");
    }
  }

} // TEST_SUITE
