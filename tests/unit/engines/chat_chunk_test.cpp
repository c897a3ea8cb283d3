#include "engines/chat_chunk.hpp"
#include "engines/chat_stream.hpp"

#include <doctest/doctest.h>

TEST_SUITE_BEGIN("engines.chat_chunk");

using namespace jessica;
using namespace jessica::engines;

TEST_CASE("text, reasoning, the reason of the end and usage are read") {
  const auto read = read_chunk(
      R"({"choices":[{"index":0,"delta":{"content":"a","reasoning":"b"},)"
      R"("finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}})");
  REQUIRE(read);
  CHECK(read->text == "a");
  CHECK(read->reasoning == "b");
  CHECK(read->finish_reason == "stop");
  CHECK(read->used == usage{1, 2, false});
}

TEST_CASE("null, nothing and what is unknown are the same") {
  for (const auto* const text :
       {"{}", R"({"choices":[]})", R"({"choices":null,"usage":null,"error":null})",
        R"({"choices":[{"delta":{"content":null,"role":"assistant"},)"
        R"("finish_reason":null}]})",
        R"({"choices":[{"delta":null}],"x":{"y":[1,2]}})", R"({"choices":[7]})"}) {
    CAPTURE(text);
    const auto read = read_chunk(text);
    REQUIRE(read);
    CHECK(read->text.empty());
    CHECK(read->finish_reason.empty());
    CHECK_FALSE(read->used);
    CHECK_FALSE(read->failed);
  }
}

TEST_CASE("only the first choice counts") {
  const auto read = read_chunk(R"({"choices":[{"index":1,"delta":{"content":"no"}},)"
                               R"({"index":0,"delta":{"content":"yes"}}]})");
  CHECK(read->text == "yes");
}

TEST_CASE("content may be a list of parts") {
  const auto read = read_chunk(R"({"choices":[{"delta":{"content":[)"
                               R"({"type":"text","text":"a"},{"type":"image"},)"
                               R"({"type":"text","text":"b"}]}}]})");
  CHECK(read->text == "ab");
}

TEST_CASE("a NUL is left out, half of a surrogate pair becomes a replacement") {
  CHECK(read_chunk(R"({"choices":[{"delta":{"content":"a\u0000b"}}]})")->text == "ab");
  CHECK(read_chunk(R"({"choices":[{"delta":{"content":"a\ud83d"}}]})")->text ==
        "a\xef\xbf\xbd");
}

TEST_CASE("what is no chunk is refused") {
  for (const auto* const text :
       {"", "[]", "1", "{", "{\"choices\":{}}", "\xff", "{\"a\":\"\xff\"}",
        R"({"choices":[{"delta":{"content":5}}]})"}) {
    CAPTURE(text);
    CHECK_FALSE(read_chunk(text).has_value());
  }
}

TEST_CASE("an error is read however it is spelled") {
  CHECK(read_chunk(R"({"error":{"message":"m","type":"t"}})")->failed->type == "t");
  CHECK(read_chunk(R"({"error":"m"})")->failed->message == "m");
  CHECK(read_complaint(R"({"error":{"message":"m","code":429}})").type == "429");
  CHECK(read_complaint(R"([{"error":{"message":"m"}}])").message == "m");
  CHECK(read_complaint(R"({"message":"m"})").message == "m");
  CHECK(read_complaint("<html>").message.empty());
}

TEST_CASE("models are listed in their order") {
  CHECK(*read_models(R"({"data":[{"id":"b"},{"x":1},{"id":"a"}]})") ==
        std::vector<std::string>{"b", "a"});
  CHECK_FALSE(read_models(R"({"data":5})").has_value());
  CHECK_FALSE(read_models("x").has_value());
}

TEST_CASE("an error of the asker is told in the provider's words, without the key") {
  auto said = chat_stream{1000, "sk-1"};
  said.feed("data: {\"error\":{\"message\":\"too long sk-1\",\"type\":"
            "\"invalid_request_error\"}}\n\n");
  REQUIRE(said.fault());
  CHECK(said.fault()->kind == fault_kind::bad_request);
  CHECK(said.fault()->shown == "The language model refused the question. too long ***");
}

TEST_CASE("blanks before an answer say nothing, and an empty one is cut") {
  auto said = chat_stream{1000, ""};
  said.feed("\r\n ");
  CHECK_FALSE(said.fault());
  said.end();
  REQUIRE(said.fault());
  CHECK(said.fault()->kind == fault_kind::cut);
}

TEST_CASE("an endless answer in one piece is too long") {
  auto said = chat_stream{10, ""};
  said.feed("{\"choices\":[");
  REQUIRE(said.fault());
  CHECK(said.fault()->kind == fault_kind::too_long);
}
