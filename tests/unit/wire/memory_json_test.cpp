#include "wire/memory_json.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

TEST_SUITE("wire.memory_json") {
  using namespace jessica;
  using namespace jessica::wire;

  constexpr auto max_k = std::size_t{100};

  [[nodiscard]] std::string refusal(std::string_view body) {
    const auto read = read_memory_search(body, max_k);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == errc::invalid_input);
    return read.error().what;
  }

  TEST_CASE("a text is enough") {
    const auto read = read_memory_search(R"({"query":"my dog"})", max_k);
    REQUIRE(read);
    CHECK(read->what.text == "my dog");
    CHECK(read->what.k == 8);
    CHECK_FALSE(read->what.hybrid);
    CHECK_FALSE(read->what.min_score);
    CHECK(read->what.after.none());
    CHECK_FALSE(read->user);
  }

  TEST_CASE("every field is read") {
    const auto read = read_memory_search(
        R"({"query":"dog","embedding":[3,0,4],"k":100,"hybrid":true,"min_score":0.25,)"
        R"("after_lsn":"1/2","user_id":"11111111-1111-4111-8111-111111111111",)"
        R"("filter":{"conversation_id":"33333333-3333-4333-8333-333333333333",)"
        R"("exclude_conversation_id":"44444444-4444-4444-8444-444444444444",)"
        R"("role":"assistant","since":"2026-01-01T00:00:00Z",)"
        R"("before":"2026-01-01T00:00:01+00:00"}})",
        max_k);
    REQUIRE(read);
    const auto& what = read->what;
    REQUIRE(what.vector.size() == 3);
    CHECK(what.vector[0] == doctest::Approx(0.6));
    CHECK(what.vector[2] == doctest::Approx(0.8));
    CHECK(what.k == 100);
    CHECK(what.hybrid);
    CHECK(what.min_score == 0.25F);
    CHECK(what.after.str() == "1/2");
    CHECK(read->user->str() == "11111111-1111-4111-8111-111111111111");
    CHECK(what.filter.conversation->str() == "33333333-3333-4333-8333-333333333333");
    CHECK(what.filter.not_conversation->str() ==
          "44444444-4444-4444-8444-444444444444");
    CHECK(what.filter.role == message_role::assistant);
    CHECK(*what.filter.before - *what.filter.since == std::chrono::seconds{1});
  }

  TEST_CASE("null counts as absent") {
    const auto read = read_memory_search(
        R"({"query":null,"embedding":[1],"k":null,"filter":null,"after_lsn":null})",
        max_k);
    REQUIRE(read);
    CHECK(read->what.text.empty());
  }

  TEST_CASE("something to look for must be given") {
    CHECK(refusal("{}").starts_with("query"));
    CHECK(refusal(R"({"query":" \n"})").starts_with("query"));
    CHECK(refusal(R"({"query":7})").starts_with("query"));
    CHECK(refusal(R"({"embedding":[]})").starts_with("embedding"));
    CHECK(refusal(R"({"embedding":[0,0]})").starts_with("embedding"));
    CHECK(refusal(R"({"embedding":["1"]})").starts_with("embedding"));
    CHECK(refusal(R"({"embedding":"[1]"})").starts_with("embedding"));
    CHECK(refusal(R"({"embedding":[1],"hybrid":true})").starts_with("hybrid"));
    CHECK(refusal("{\"query\":\"" + std::string(40'000, 'x') + "\"}")
              .starts_with("query"));
  }

  TEST_CASE("numbers have bounds") {
    for (const auto* k : {"0", "101", "-1", "1.5", "\"8\"", "1e99"})
      CHECK(refusal(R"({"query":"a","k":)" + std::string{k} + "}").starts_with("k"));
    for (const auto* score : {"1.01", "-2", "\"0\"", "1e99"})
      CHECK(refusal(R"({"query":"a","min_score":)" + std::string{score} + "}")
                .starts_with("min_score"));
    CHECK(refusal(R"({"query":"a","after_lsn":"x"})").starts_with("after_lsn"));
    CHECK(refusal(R"({"query":"a","after_lsn":5})").starts_with("after_lsn"));
  }

  TEST_CASE("a filter says what is wrong with it") {
    const auto of = [](std::string_view filter) {
      return refusal(R"({"query":"a","filter":)" + std::string{filter} + "}");
    };
    CHECK(of("[]").starts_with("filter"));
    CHECK(of(R"({"rôle":"user"})") == "filter.rôle is not known");
    CHECK(of(R"({"role":"admin"})").starts_with("filter.role"));
    CHECK(of(R"({"conversation_id":"1"})").starts_with("filter.conversation_id"));
    CHECK(of(R"({"since":"yesterday"})").starts_with("filter.since"));
    CHECK(of(R"({"before":1})").starts_with("filter.before"));
    CHECK(refusal(R"({"query":"a","user_id":"me"})").starts_with("user_id"));
  }

  TEST_CASE("what was found is a list of objects") {
    auto one = found_memory{};
    one.message = *message_id::parse("11111111-1111-4111-8111-111111111111");
    one.conversation = *conversation_id::parse("33333333-3333-4333-8333-333333333333");
    one.role = message_role::assistant;
    one.said_at = timestamp{std::chrono::seconds{1}};
    one.score = 0.87654F;
    one.content = "he said \"hi\"";
    one.excerpt = "hi";
    const auto list = boost::json::parse(memories_json({&one, 1}, 1000)).as_array();
    REQUIRE(list.size() == 1);
    const auto& told = list.at(0).as_object();
    CHECK(told.at("message_id").as_string() == one.message.str());
    CHECK(told.at("score").as_double() == doctest::Approx(0.8765));
    CHECK(told.at("content").as_string() == one.content);
    CHECK(told.at("created_at").as_string() == "1970-01-01T00:00:01.000000Z");
    CHECK(told.at("role").as_string() == "assistant");
    CHECK_FALSE(told.contains("truncated"));
    CHECK(memories_json({}, 1000) == "[]");
  }

  TEST_CASE("contents over the limit are told by their excerpts") {
    auto two = std::vector<found_memory>(2);
    for (auto& one : two) {
      one.content = std::string(600, 'x');
      one.excerpt = "short";
    }
    const auto list = boost::json::parse(memories_json(two, 1000)).as_array();
    CHECK(list.at(0).at("content").as_string().size() == 600);
    CHECK(list.at(1).at("content").as_string() == "short");
    CHECK(list.at(1).at("truncated").as_bool());
  }
}
