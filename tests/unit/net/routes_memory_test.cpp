#include "route_world.hpp"

#include <doctest/doctest.h>

namespace {

using namespace jessica;
using test::field;

constexpr auto path = "/functions/v1/search-memory";
constexpr auto somebody = "99999999-9999-4999-8999-999999999999";

struct memory_world : test::route_world {
  memory_world() {
    searching.say = [](const auto&) -> result<actors::memories_found> {
      auto one = found_memory{};
      one.content = "Rex";
      return actors::memories_found{{one}};
    };
  }
  net::http_response as_service(std::string body) {
    auto what = bare("POST", path, std::move(body));
    what.headers.emplace_back("apikey", "sb_secret_test");
    return ask(std::move(what));
  }
};

} // namespace

TEST_SUITE("net.routes_memory") {

  TEST_CASE_FIXTURE(memory_world, "a user searches what is the user's own") {
    const auto answer = ask(as_user("POST", path, R"({"query":"my dog","k":3})"));
    CHECK(answer.status == 200);
    CHECK(answer.body.starts_with("[{\"message_id\""));
    const auto& asked = searching.asked.value();
    CHECK(asked.whose.user == grant.user.id);
    REQUIRE(asked.whose.who);
    CHECK(asked.whose.who->user == grant.user.id);
    CHECK(asked.what.text == "my dog");
    CHECK(asked.what.k == 3);
  }

  TEST_CASE_FIXTURE(memory_world, "of nobody else's") {
    const auto body = std::string{R"({"query":"a","user_id":")"} + somebody + "\"}";
    const auto answer = ask(as_user("POST", path, body));
    CHECK(answer.status == 403);
    CHECK_FALSE(searching.asked);
  }

  TEST_CASE_FIXTURE(memory_world, "the service role says for whom it asks") {
    const auto unsaid = as_service(R"({"query":"a"})");
    CHECK(unsaid.status == 400);
    CHECK(field(unsaid, "code") == "validation_failed");
    CHECK(field(unsaid, "message").starts_with("user_id"));

    const auto said =
        as_service(std::string{R"({"query":"a","user_id":")"} + somebody + "\"}");
    CHECK(said.status == 200);
    CHECK(searching.asked.value().whose.user.str() == somebody);
    CHECK_FALSE(searching.asked.value().whose.who);
  }

  TEST_CASE_FIXTURE(memory_world, "who is not signed in has no memory") {
    const auto answer = ask(as_anon("POST", path, R"({"query":"a"})"));
    CHECK(answer.status == 401);
    CHECK_FALSE(searching.asked);
  }

  TEST_CASE_FIXTURE(memory_world, "a bad body is told by its field") {
    const auto answer = ask(as_user("POST", path, R"({"query":"a","k":0})"));
    CHECK(answer.status == 400);
    CHECK(field(answer, "message") == "k must be 1 to 100");
  }

  TEST_CASE_FIXTURE(memory_world, "what fails keeps its reason") {
    searching.say = [](const auto&) -> result<actors::memories_found> {
      return fail(errc::unavailable, "no model", "no_embedder");
    };
    const auto answer = ask(as_user("POST", path, R"({"query":"a"})"));
    CHECK(answer.status == 503);
    CHECK(field(answer, "code") == "no_embedder");
  }
}
