#include "wire/openai_chat.hpp"

#include <doctest/doctest.h>

#include <format>
#include <string>

TEST_SUITE("wire.openai_chat") {
  using namespace jessica;
  using namespace jessica::wire;

  namespace {

  constexpr auto hello =
      std::string_view{R"("messages":[{"role":"user","content":"Hello"}])"};

  completion_request good(const std::string& more) {
    auto read = read_completion(std::format("{{{}{}}}", hello, more));
    REQUIRE_MESSAGE(read.has_value(), read.error().message);
    return std::move(*read);
  }

  openai_refusal bad(const std::string& json) {
    const auto read = read_completion(json);
    REQUIRE_MESSAGE(!read.has_value(), json);
    return read.error();
  }
  openai_refusal bad_with(const std::string& more) {
    return bad(std::format("{{{},{}}}", hello, more));
  }

  completion_request with_messages(std::string_view list) {
    auto read = read_completion(std::format(R"({{"messages":[{}]}})", list));
    REQUIRE_MESSAGE(read.has_value(), read.error().message);
    return std::move(*read);
  }

  } // namespace

  TEST_CASE("the least there can be is one message") {
    const auto read = good("");
    REQUIRE(read.asked.turns.size() == 1);
    CHECK(read.asked.turns[0].role == "user");
    CHECK(read.asked.turns[0].content == "Hello");
    CHECK(!read.asked.system);
    CHECK(read.asked.params == reply_params{});
    CHECK(!read.streamed);
    CHECK(!read.with_usage);
    CHECK(!read.asked.recalls);
  }

  TEST_CASE("what the engine understands is passed on") {
    const auto read = good(R"(,"model":"m","temperature":0,"top_p":0.5,"max_tokens":7,)"
                           R"("stop":["a","b"],"stream":true,)"
                           R"("stream_options":{"include_usage":true},"memory":true)");
    CHECK(read.asked.params.model == "m");
    CHECK(read.asked.params.temperature == 0);
    CHECK(read.asked.params.top_p == 0.5);
    CHECK(read.asked.params.max_tokens == 7);
    CHECK(read.asked.params.stop == std::vector<std::string>{"a", "b"});
    CHECK(read.streamed);
    CHECK(read.with_usage);
    CHECK(read.asked.recalls);
  }

  TEST_CASE("stop may be one text, and the newer name of max_tokens is stronger") {
    const auto read = good(R"(,"stop":".","max_tokens":7,"max_completion_tokens":9)");
    CHECK(read.asked.params.stop == std::vector<std::string>{"."});
    CHECK(read.asked.params.max_tokens == 9);
  }

  TEST_CASE("null is as good as absent, and what we have no use for is passed over") {
    const auto read = good(
        R"(,"model":null,"temperature":null,"top_p":null,"max_tokens":null,)"
        R"("stop":null,"stream":null,"stream_options":null,"n":null,"functions":null,)"
        R"("response_format":null,"user":"u","metadata":{"a":"b"},"store":true,)"
        R"("seed":7,"presence_penalty":0.5,"logprobs":false,"tools":[],)"
        R"("modalities":["text"],"service_tier":"auto","unheard_of":{})");
    CHECK(read.asked.params == reply_params{});
    CHECK(good(R"(,"n":1,"model":"","response_format":{"type":"text"})").asked.params ==
          reply_params{});
  }

  TEST_CASE("rules at the beginning are the system's text, later ones stay turns") {
    const auto read = with_messages(
        R"({"role":"system","content":"Be kind."},)"
        R"({"role":"developer","content":"Be short."},)"
        R"({"role":"user","content":"Hi"},{"role":"assistant","content":"Hello"},)"
        R"({"role":"developer","content":"In French."},{"role":"user","content":"?"})");
    CHECK(read.asked.system == "Be kind.\n\nBe short.");
    REQUIRE(read.asked.turns.size() == 4);
    CHECK(read.asked.turns[1].role == "assistant");
    CHECK(read.asked.turns[2].role == "system");
    CHECK(read.asked.turns[2].content == "In French.");
  }

  TEST_CASE("rules alone are answered") {
    const auto read = with_messages(R"({"role":"system","content":"Say hi."})");
    CHECK(!read.asked.system);
    REQUIRE(read.asked.turns.size() == 1);
    CHECK(read.asked.turns[0].role == "system");
  }

  TEST_CASE("the parts of a content are put together") {
    const auto read =
        with_messages(R"({"role":"user","content":[{"type":"text","text":"a"},)"
                      R"({"type":"text","text":"b"}]})");
    CHECK(read.asked.turns[0].content == "ab");
    CHECK(with_messages(R"({"role":"user","content":""})").asked.turns.size() == 1);
  }

  TEST_CASE("a refusal names the field") {
    CHECK(bad("[]").code == "invalid_json");
    CHECK(bad("{").code == "invalid_json");
    CHECK(bad("").param == "messages");
    CHECK(bad(R"({"messages":[]})").param == "messages");
    CHECK(bad(R"({"messages":"Hello"})").param == "messages");
    CHECK(bad(R"({"messages":[1]})").param == "messages[0]");
    CHECK(bad(R"({"messages":[{"content":"x"}]})").param == "messages[0].role");
    CHECK(bad(R"({"messages":[{"role":"king","content":"x"}]})").param ==
          "messages[0].role");
    CHECK(bad(R"({"messages":[{"role":"user"}]})").param == "messages[0].content");
    CHECK(bad(R"({"messages":[{"role":"user","content":7}]})").param ==
          "messages[0].content");
    CHECK(bad(R"({"messages":[{"role":"user","content":[{"type":"text"}]}]})").param ==
          "messages[0].content[0].text");
    CHECK(bad(R"({"messages":[{"role":"user","content":["x"]}]})").param ==
          "messages[0].content[0]");
  }

  TEST_CASE("values out of their range are refused") {
    for (const auto* const one :
         {R"("temperature":2.1)", R"("temperature":-1)", R"("temperature":"hot")",
          R"("top_p":1.5)", R"("max_tokens":0)", R"("max_tokens":1.5)",
          R"("max_completion_tokens":2000000)", R"("stop":["1","2","3","4","5"])",
          R"("stop":"")", R"("stop":[1])", R"("stop":{})", R"("stream":"yes")",
          R"("stream_options":{"include_usage":true})", R"("memory":1)",
          R"("stream":true,"stream_options":7)", R"("model":7)", R"("model":"a\nb")"}) {
      const auto why = bad_with(one);
      CAPTURE(one);
      CHECK(why.status == 400);
      CHECK(why.code == "invalid_value");
      CHECK(std::string{one}.contains(why.param));
    }
    CHECK(bad_with(std::format(R"("model":"{}")", std::string(200, 'm'))).param ==
          "model");
  }

  TEST_CASE("tools are read with their schemas, unless none is to be called") {
    const auto tools = std::string{
        R"(,"tools":[{"type":"function","function":{"name":"add","description":"Adds.",)"
        R"("parameters":{"type":"object"},"strict":true}},{"function":{"name":"now"}}])"};
    const auto read = good(tools);
    CHECK(
        read.asked.tools ==
        std::vector<tool>{{"add", "Adds.", R"({"type":"object"})"}, {"now", "", "{}"}});
    CHECK(good(tools + R"(,"tool_choice":"auto")").asked.tools.size() == 2);
    CHECK(good(tools + R"(,"tool_choice":"none")").asked.tools.empty());
    for (const auto* const one :
         {R"("tools":{})", R"("tools":[{"function":{"name":"a b"}}])",
          R"("tools":[{"function":{"name":""}}])",
          R"("tools":[{"function":{"name":"a","parameters":1}}])",
          R"("tools":[{"function":{"name":"a","description":1}}])"}) {
      const auto why = bad_with(one);
      CAPTURE(one);
      CHECK(why.code == "invalid_value");
      CHECK(why.param.starts_with("tools"));
    }
    for (const auto* const one : {R"("tools":[{"type":"web_search"}])",
                                  R"("tools":[1])", R"("tool_choice":"required")"}) {
      CAPTURE(one);
      CHECK(bad_with(one).code == "unsupported_value");
    }
  }

  TEST_CASE("calls and their results are turns") {
    const auto read = with_messages(
        R"({"role":"user","content":"Sum?"},{"role":"assistant","content":null,)"
        R"("tool_calls":[{"id":"c1","type":"function","function":{"name":"add",)"
        R"("arguments":"{}"}}]},{"role":"tool","tool_call_id":"c1","content":"3"})");
    REQUIRE(read.asked.turns.size() == 3);
    CHECK(read.asked.turns[1].calls == std::vector<tool_call>{{"c1", "add", "{}"}});
    CHECK(read.asked.turns[1].content.empty());
    CHECK(read.asked.turns[2].role == "tool");
    CHECK(read.asked.turns[2].answers == "c1");
    CHECK(read.asked.turns[2].content == "3");
    CHECK(bad(R"({"messages":[{"role":"tool","content":"3"}]})").param ==
          "messages[0].tool_call_id");
    CHECK(
        bad(R"({"messages":[{"role":"user","content":"x","tool_calls":[]}]})").param ==
        "messages[0].tool_calls");
    CHECK(
        bad(R"({"messages":[{"role":"assistant","tool_calls":[{"id":"c"}]}]})").param ==
        "messages[0].tool_calls[0]");
    CHECK(bad(R"({"messages":[{"role":"function","content":"x"}]})").code ==
          "unsupported_value");
  }

  TEST_CASE("what would change the answer is not passed over in silence") {
    for (const auto* const one :
         {R"("n":2)", R"("logprobs":true)",
          R"("response_format":{"type":"json_object"})", R"("modalities":["audio"])",
          R"("functions":[{"name":"f"}])"}) {
      CAPTURE(one);
      CHECK(bad_with(one).code == "unsupported_value");
    }
    const auto image = bad(
        R"({"messages":[{"role":"user","content":[{"type":"image_url","image_url":{}}]}]})");
    CHECK(image.code == "unsupported_value");
    CHECK(image.message.contains("images"));
  }
}
