#include "wire/embed_json.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace jessica::wire {
namespace {

constexpr auto limits = embed_limits{3, 10};
constexpr auto id = "44444444-4444-4444-8444-444444444444";

[[nodiscard]] error refusal(std::string_view json) {
  const auto read = read_embed(json, limits);
  REQUIRE_FALSE(read);
  return read.error();
}

} // namespace

TEST_SUITE("wire.embed_json") {
  TEST_CASE("one text or several") {
    const auto one = read_embed(R"({"text":"hello"})", limits);
    REQUIRE(one);
    CHECK(one->texts == std::vector<std::string>{"hello"});
    CHECK_FALSE(one->query);
    const auto two = read_embed(R"({"texts":["a","b"],"purpose":"query"})", limits);
    REQUIRE(two);
    CHECK(two->texts == std::vector<std::string>{"a", "b"});
    CHECK(two->query);
    CHECK_FALSE(two->message);
  }

  TEST_CASE("a message by its id") {
    const auto read =
        read_embed(std::string{R"({"message_id":")"} + id + "\"}", limits);
    REQUIRE(read);
    CHECK(read->message == message_id::parse(id));
    CHECK_FALSE(read->deleted);
  }

  TEST_CASE("what a database webhook sends") {
    const auto row = std::string{R"({"id":")"} + id + R"(","content":"x"})";
    const auto insert = read_embed(
        R"({"type":"INSERT","table":"messages","schema":"public","record":)" + row +
            R"(,"old_record":null})",
        limits);
    REQUIRE(insert);
    CHECK(insert->message == message_id::parse(id));
    CHECK_FALSE(insert->deleted);
    const auto gone = read_embed(
        R"({"type":"DELETE","table":"messages","record":null,"old_record":)" + row +
            "}",
        limits);
    REQUIRE(gone);
    CHECK(gone->message == message_id::parse(id));
    CHECK(gone->deleted);
    CHECK(read_embed(R"({"record":)" + row + "}", limits));
  }

  TEST_CASE("what cannot be meant is refused by name") {
    for (const auto* json :
         {"{}", R"({"text":"a","texts":["b"]})", R"({"texts":[]})", R"({"texts":"a"})",
          R"({"texts":["a",1]})", R"({"texts":["a"," "]})", R"({"text":""})",
          R"({"text":" \n\t"})", R"({"text":1})", R"({"text":"a","purpose":"love"})",
          R"({"message_id":"x"})", R"({"type":"INSERT","table":"messages"})",
          R"({"type":"TRUNCATE","table":"messages","record":{}})",
          R"({"type":"INSERT","table":"users","record":{}})",
          R"({"type":"INSERT","table":"messages","record":{"id":5}})",
          R"({"type":"INSERT","table":"messages","record":[]})", "[]", "{", "7"})
      CHECK_MESSAGE(refusal(json).code == errc::invalid_input, json);
    CHECK(refusal(R"({"texts":["a",1]})").what.starts_with("texts[1]"));
  }

  TEST_CASE("more than the limits is too large") {
    CHECK(refusal(R"({"texts":["a","b","c","d"]})").code == errc::too_large);
    CHECK(refusal(R"({"text":"12345678901"})").code == errc::too_large);
    CHECK(refusal(R"({"texts":["12345678901"]})").code == errc::too_large);
    CHECK(read_embed(R"({"texts":["1234567890","b","c"]})", limits));
  }

  TEST_CASE("vectors are written as numbers that read back the same") {
    const auto vectors = std::vector<std::vector<float>>{{0.5F, -0.1F}, {1.0F, 3e-8F}};
    CHECK(embeddings_json("m", vectors) ==
          R"({"model":"m","dim":2,"embeddings":[[0.5,-0.1],[1,3e-08]]})");
  }

  TEST_CASE("a message's answer says how much and from where on") {
    const auto which = *message_id::parse(id);
    CHECK(embedded_json(which, 2, *lsn::parse("0/16B3748")) ==
          std::string{R"({"message_id":")"} + id +
              R"(","chunks":2,"lsn":"0/16B3748"})");
    CHECK(embedded_json(which, 0, {}) ==
          std::string{R"({"message_id":")"} + id + R"(","chunks":0})");
  }
}

} // namespace jessica::wire
