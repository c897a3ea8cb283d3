#include "wire/openai_answer.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>

TEST_SUITE("wire.openai_answer") {
  using namespace jessica;
  using namespace jessica::wire;

  namespace {

  completion_chunks chunks(bool with_usage) {
    return {{"chatcmpl-1", 17, "m"}, with_usage};
  }
  constexpr auto start = std::string_view{
      R"(data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":17,)"
      R"("model":"m","choices":)"};

  std::string choice(std::string_view delta, std::string_view reason) {
    return std::string{start} + R"([{"index":0,"delta":)" + std::string{delta} +
           R"(,"logprobs":null,"finish_reason":)" + std::string{reason} + "}]}\n\n";
  }

  } // namespace

  TEST_CASE("a stream's events are as OpenAI's") {
    auto out = std::string{};
    const auto to = chunks(false);
    to.role(out);
    CHECK(out == choice(R"({"role":"assistant","content":""})", "null"));
    out.clear();
    to.text(out, "a \"b\"\n");
    CHECK(out == choice(R"({"content":"a \"b\"\n"})", "null"));
    out.clear();
    to.reasoning(out, "hm");
    CHECK(out == choice(R"({"reasoning_content":"hm"})", "null"));
    out.clear();
    to.finish(out, "length");
    CHECK(out == choice("{}", R"("length")"));
    out.clear();
    to.used(out, {3, 4, false});
    CHECK(out == std::string{start} + R"([],"usage":{"prompt_tokens":3,)"
                                      R"("completion_tokens":4,"total_tokens":7}})"
                                      "\n\n");
  }

  TEST_CASE("chunks append, and say null for the usage that will come") {
    auto out = std::string{"before"};
    chunks(true).text(out, "x");
    CHECK(out.starts_with("before" + std::string{start}));
    CHECK(out.ends_with(R"("finish_reason":null}],"usage":null})"
                        "\n\n"));
  }

  TEST_CASE("whoever answers is named from then on") {
    auto to = chunks(false);
    to.answered_by("other \"one\"");
    auto out = std::string{};
    to.text(out, "x");
    CHECK(out.contains(R"("model":"other \"one\"","choices")"));
  }

  TEST_CASE("calls are numbered in a stream") {
    const auto calls =
        std::array{tool_call{"c1", "f", R"({"a":1})"}, tool_call{"c2", "g", "{}"}};
    auto out = std::string{};
    chunks(false).calls(out, calls);
    CHECK(out == choice(R"({"tool_calls":[{"index":0,"id":"c1","type":"function",)"
                        R"("function":{"name":"f","arguments":"{\"a\":1}"}},)"
                        R"({"index":1,"id":"c2","type":"function",)"
                        R"("function":{"name":"g","arguments":"{}"}}]})",
                        "null"));
  }

  TEST_CASE("a whole answer has text, reason and usage") {
    auto what = whole_completion{};
    what.text = "Hello";
    what.finish_reason = "stop";
    what.used = {1, 2, true};
    CHECK(completion_json({"chatcmpl-1", 17, "m"}, what) ==
          R"({"id":"chatcmpl-1","object":"chat.completion","created":17,"model":"m",)"
          R"("choices":[{"index":0,"message":{"role":"assistant","content":"Hello",)"
          R"("refusal":null},"logprobs":null,"finish_reason":"stop"}],)"
          R"("usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}})");
  }

  TEST_CASE("an answer of calls alone has no content; thoughts stand beside it") {
    auto what = whole_completion{};
    what.reasoning = "hm";
    what.calls = {{"c1", "f", "{}"}};
    what.finish_reason = "tool_calls";
    const auto json = completion_json({"chatcmpl-1", 17, "m"}, what);
    CHECK(json.contains(R"("content":null)"));
    CHECK(json.contains(R"("reasoning_content":"hm")"));
    CHECK(json.contains(R"("tool_calls":[{"id":"c1","type":"function",)"));
  }
}
