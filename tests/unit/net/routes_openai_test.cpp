#include "net/streamed_body.hpp"
#include "route_world.hpp"

#include <doctest/doctest.h>

namespace {

using namespace jessica;
using namespace jessica::engines;
using test::field;
using test::header;

constexpr auto completions = "/v1/chat/completions";
constexpr auto hello = R"("messages":[{"role":"user","content":"Hello"}])";

struct openai_world : test::route_world {
  std::vector<engine_event> said; ///< by the engine, before the answer is there

  openai_world() {
    completing.say = [this](const actors::start_completion& what)
        -> result<actors::completion_started> {
      what.told(model_changed{"one"});
      for (const auto& one : said)
        what.told(one);
      return actors::completion_started{
          std::make_shared<actors::completion_run>(with.gateway, 5)};
    };
    embedding_for.say =
        [](const actors::embed_for& what) -> result<actors::embedded_for> {
      return actors::embedded_for{std::vector<std::vector<float>>(
                                      what.what.texts.size(), std::vector{0.6F, 0.8F}),
                                  3};
    };
  }

  /// As the openai client asks: no API key but the bearer token.
  net::http_response with_bearer(const std::string& token, std::string method,
                                 std::string_view path, std::string body = {}) {
    auto what = bare(std::move(method), path, std::move(body));
    what.headers.emplace_back("authorization", "Bearer " + token);
    return ask(std::move(what));
  }
  net::http_response post(std::string_view path, const std::string& body) {
    return with_bearer(user_token(), "POST", path, body);
  }
  net::http_response complete(const std::string& more) {
    return post(completions, std::string{"{"} + hello + more + "}");
  }

  /// The whole body of a streamed answer.
  std::string streamed(net::http_response& from) {
    REQUIRE(from.stream != nullptr);
    auto all = std::string{};
    auto over = false;
    boost::asio::co_spawn(
        io,
        [](net::streamed_body& body, std::string& to,
           bool& done) -> boost::asio::awaitable<void> {
          for (;;) {
            const auto part = co_await body.next();
            to += part ? part->bytes : "<broken>";
            if (!part || part->last)
              break;
          }
          done = true;
        }(*from.stream, all, over),
        [](const std::exception_ptr&) {});
    io.restart();
    while (!over)
      io.run_one();
    return all;
  }

  /// After GATEWAY has heard of so many ends.
  void wait_for_ends(std::size_t count) {
    io.restart();
    while (*completed < count)
      io.run_one_for(std::chrono::milliseconds{10});
  }
};

} // namespace

TEST_SUITE("net.routes_openai") {
  TEST_CASE_FIXTURE(openai_world, "a whole answer has the engine's words and usage") {
    said = {reasoning_made{"hm"}, text_made{"Hi ", 1}, text_made{"Ada", 1},
            text_ended{"stop", {3, 2, false}}};
    const auto answer = complete("");
    CHECK(answer.status == 200);
    CHECK(field(answer, "content") == "Hi Ada");
    CHECK(field(answer, "reasoning_content") == "hm");
    CHECK(field(answer, "model") == "one");
    CHECK(field(answer, "object") == "chat.completion");
    CHECK(answer.body.contains(R"("total_tokens":5)"));
    CHECK(header(answer, "X-Request-Id") == field(answer, "id"));
    CHECK(header(answer, "Access-Control-Allow-Origin") == "*");
    CHECK(completing.asked->who == grant.user.id);
    CHECK(completing.asked->asked.turns.at(0).content == "Hello");
    wait_for_ends(1);
  }

  TEST_CASE_FIXTURE(openai_world, "a stream is chunks, and [DONE] at its end") {
    said = {text_made{"Hi", 1}, model_changed{"two"}, text_made{" Ada", 1},
            text_ended{"length", {3, 2, false}}};
    auto answer = complete(R"(,"stream":true,"stream_options":{"include_usage":true})");
    CHECK(answer.status == 200);
    CHECK(header(answer, "Content-Type") == "text/event-stream; charset=utf-8");
    CHECK(header(answer, "Access-Control-Allow-Origin") == "*");
    const auto body = streamed(answer);
    const auto role = body.find(R"({"role":"assistant","content":""})");
    const auto first = body.find(R"({"content":"Hi"})");
    const auto second = body.find(R"({"content":" Ada"})");
    const auto last = body.find(R"("finish_reason":"length")");
    const auto used = body.find(R"("total_tokens":5)");
    CHECK(role < first);
    CHECK(first < second);
    CHECK(second < last);
    CHECK(last < used);
    CHECK(used != std::string::npos);
    CHECK(body.find(R"("model":"two")") > first);
    CHECK(body.ends_with("data: [DONE]\n\n"));
    CHECK(*completed == 0);
    answer.stream = nullptr;
    wait_for_ends(1);
  }

  TEST_CASE_FIXTURE(openai_world, "without the wish a stream says nothing of usage") {
    said = {text_made{"Hi", 1}, text_ended{"", {3, 2, false}}};
    auto answer = complete(R"(,"stream":true)");
    const auto body = streamed(answer);
    CHECK(!body.contains("usage"));
    CHECK(body.contains(R"("finish_reason":"stop")"));
  }

  TEST_CASE_FIXTURE(openai_world,
                    "a failure before the first word has its own status") {
    const auto causes = std::vector<std::pair<failed_by, int>>{
        {failed_by::answer, 502}, {failed_by::absence, 503}, {failed_by::delay, 504},
        {failed_by::load, 429},   {failed_by::request, 400}, {failed_by::name, 404}};
    for (const auto& [cause, status] : causes)
      for (const auto* const form : {"", R"(,"stream":true)"}) {
        said = {text_failed{"It is told.", true, cause}};
        const auto answer = complete(form);
        CHECK(answer.status == status);
        CHECK(field(answer, "message") == "It is told.");
        CHECK(answer.stream == nullptr);
      }
    wait_for_ends(2 * causes.size());
  }

  TEST_CASE_FIXTURE(openai_world, "a failure in mid-stream is told, without [DONE]") {
    said = {text_made{"Hi", 1}, text_failed{"It broke.", true, failed_by::answer}};
    auto answer = complete(R"(,"stream":true)");
    CHECK(answer.status == 200);
    const auto body = streamed(answer);
    CHECK(body.contains(R"(data: {"error":{"message":"It broke.")"));
    CHECK(!body.contains("[DONE]"));
  }

  TEST_CASE_FIXTURE(openai_world, "a failure in the middle of a whole answer is one") {
    said = {text_made{"Hi", 1}, text_failed{"It broke.", true, failed_by::answer}};
    CHECK(complete("").status == 502);
  }

  TEST_CASE_FIXTURE(openai_world, "a stop of the server ends a stream in order") {
    said = {text_made{"Hi", 1}};
    auto answer = complete(R"(,"stream":true)");
    REQUIRE(answer.stream != nullptr);
    REQUIRE(answer.stream->stop);
    answer.stream->stop();
    const auto body = streamed(answer);
    CHECK(body.contains("server_stopping"));
    CHECK(!body.contains("[DONE]"));
  }

  TEST_CASE_FIXTURE(openai_world, "calls of tools end an answer") {
    said = {tools_called{{{"c1", "f", "{}"}}, {3, 2, false}}};
    const auto answer = complete("");
    CHECK(answer.body.contains(R"("finish_reason":"tool_calls")"));
    CHECK(answer.body.contains(R"("name":"f")"));
    auto stream = complete(R"(,"stream":true)");
    CHECK(streamed(stream).contains(R"("finish_reason":"tool_calls")"));
  }

  TEST_CASE_FIXTURE(openai_world, "what GATEWAY refuses is told as OpenAI would") {
    completing.say = [](const auto&) -> result<actors::completion_started> {
      return fail(errc::overloaded, "x", "too_many_of_user");
    };
    const auto busy = complete(R"(,"stream":true)");
    CHECK(busy.status == 429);
    CHECK(!header(busy, "Retry-After").empty());
    CHECK(field(busy, "code") == "rate_limit_exceeded");
    completing.say = [](const auto&) -> result<actors::completion_started> {
      return fail(errc::not_found, "x", "model_not_found");
    };
    const auto unknown = complete("");
    CHECK(unknown.status == 404);
    CHECK(field(unknown, "code") == "model_not_found");
  }

  TEST_CASE_FIXTURE(openai_world, "users and services may ask, nobody else") {
    said = {text_ended{"stop", {}}};
    const auto body = std::string{"{"} + hello + "}";
    CHECK(ask(bare("POST", completions, body)).status == 401);
    const auto public_key =
        with_bearer("sb_publishable_test", "POST", completions, body);
    CHECK(public_key.status == 401);
    CHECK(field(public_key, "type") == "authentication_error");
    CHECK(field(with_bearer("sk-nonsense", "POST", completions, body), "code") ==
          "invalid_api_key");
    CHECK(with_bearer(user_token(std::chrono::seconds{-60}), "POST", completions, body)
              .status == 401);
    CHECK(!completing.asked);
    CHECK(with_bearer("sb_secret_test", "POST", completions, body).status == 200);
    REQUIRE(completing.asked.has_value());
    CHECK(!completing.asked->who);
  }

  TEST_CASE_FIXTURE(openai_world, "memories are a user's") {
    said = {text_ended{"stop", {}}};
    CHECK(complete(R"(,"memory":true)").status == 200);
    CHECK(completing.asked->asked.recalls);
    const auto body = std::string{"{"} + hello + R"(,"memory":true})";
    const auto refused = with_bearer("sb_secret_test", "POST", completions, body);
    CHECK(refused.status == 400);
    CHECK(field(refused, "param") == "memory");
  }

  TEST_CASE_FIXTURE(openai_world, "a client that leaves is waited for no longer") {
    auto client = net::departure{};
    auto what = bare("POST", completions, std::string{"{"} + hello + "}");
    what.headers.emplace_back("authorization", "Bearer " + user_token());
    auto got = std::optional<net::http_response>{};
    boost::asio::co_spawn(io,
                          net::answer(std::move(what), net::call{with, asker, &client}),
                          [&](std::exception_ptr, net::http_response answer) {
                            got = std::move(answer);
                          });
    io.restart();
    while (!client.then || !completing.asked)
      io.run_one();
    client.then();
    while (!got)
      io.run_one();
    wait_for_ends(1);
  }

  TEST_CASE_FIXTURE(openai_world, "models are the engine's and the embedder's") {
    const auto list = with_bearer(user_token(), "GET", "/v1/models");
    CHECK(list.status == 200);
    for (const auto* const one : {"one", "maker/two", "a-model"})
      CHECK(list.body.contains(std::string{R"("id":")"} + one + '"'));
    const auto two = with_bearer(user_token(), "GET", "/v1/models/maker%2Ftwo");
    CHECK(two.status == 200);
    CHECK(field(two, "id") == "maker/two");
    CHECK(with_bearer(user_token(), "GET", "/v1/models/maker/two").status == 200);
    CHECK(with_bearer(user_token(), "GET", "/v1/models/three").status == 404);
    CHECK(ask(bare("GET", "/v1/models")).status == 401);
  }

  TEST_CASE_FIXTURE(openai_world, "vectors come as numbers or as bytes") {
    const auto plain =
        post("/v1/embeddings", R"({"input":["a","b"],"model":"a-model"})");
    CHECK(plain.status == 200);
    CHECK(plain.body.contains(R"("embedding":[0.6,0.8])"));
    CHECK(plain.body.contains(R"("prompt_tokens":3)"));
    CHECK(embedding_for.asked->who == grant.user.id);
    CHECK(embedding_for.asked->what.purpose == text_purpose::document);
    CHECK(post("/v1/embeddings", R"({"input":"a","encoding_format":"base64"})")
              .body.contains(R"("embedding":"mpkZP83MTD8=")"));
  }

  TEST_CASE_FIXTURE(openai_world, "embeddings that cannot be had are refused") {
    CHECK(post("/v1/embeddings", R"({"input":"a","model":"other"})").status == 404);
    CHECK(post("/v1/embeddings", R"({"input":[7]})").status == 400);
    CHECK(post("/v1/embeddings", R"({"input":"a","dimensions":2})").status == 200);
    const auto wrong = post("/v1/embeddings", R"({"input":"a","dimensions":3})");
    CHECK(wrong.status == 400);
    CHECK(field(wrong, "param") == "dimensions");
  }

  TEST_CASE_FIXTURE(openai_world,
                    "other paths and methods are told in OpenAI's shape") {
    const auto unknown = post("/v1/images", "{}");
    CHECK(unknown.status == 404);
    CHECK(field(unknown, "code") == "unknown_url");
    const auto wrong = with_bearer(user_token(), "DELETE", "/v1/models");
    CHECK(wrong.status == 405);
    CHECK(field(wrong, "code") == "method_not_allowed");
    CHECK(ask(bare("GET", "/v1/openapi.json")).status == 200);
  }

  TEST_CASE_FIXTURE(openai_world, "a server without a gateway says so") {
    caf::anon_send_exit(with.gateway, caf::exit_reason::user_shutdown);
    with.gateway = nullptr;
    for (const auto& answer : {complete(""), post("/v1/embeddings", R"({"input":"a"})"),
                               with_bearer(user_token(), "GET", "/v1/models")}) {
      CHECK(answer.status == 404);
      CHECK(field(answer, "code") == "gateway_off");
    }
  }
}
