#include "route_world.hpp"

#include <doctest/doctest.h>

namespace {

using namespace jessica;
using test::field;

constexpr auto path = "/functions/v1/embed-generator";
constexpr auto id = "44444444-4444-4444-8444-444444444444";

struct embed_world : test::route_world {
  embed_world() {
    embedding.say = [](const auto& msg) -> result<actors::texts_embedded> {
      return actors::texts_embedded{std::vector<std::vector<float>>(
          msg.texts.size(), std::vector<float>{0.6F, 0.8F})};
    };
    embedding_one.say = [](const auto&) -> result<actors::message_embedded> {
      return actors::message_embedded{3, *lsn::parse("0/1F")};
    };
  }
  net::http_response post(std::string body) {
    return ask(as_user("POST", path, std::move(body)));
  }
};

} // namespace

TEST_SUITE("net.routes_embed") {
  TEST_CASE_FIXTURE(embed_world, "texts become vectors of the model") {
    const auto answer = post(R"({"texts":["a","b"],"purpose":"query"})");
    CHECK(answer.status == 200);
    CHECK(answer.body ==
          R"({"model":"a-model","dim":2,"embeddings":[[0.6,0.8],[0.6,0.8]]})");
    CHECK(embedding.asked->texts == std::vector<std::string>{"a", "b"});
    CHECK(embedding.asked->purpose == engines::text_purpose::query);
    CHECK(post(R"({"text":"a"})").status == 200);
    CHECK(embedding.asked->purpose == engines::text_purpose::document);
  }

  TEST_CASE_FIXTURE(embed_world, "a message is embedded and stored as its asker may") {
    const auto answer = post(std::string{R"({"message_id":")"} + id + "\"}");
    CHECK(answer.status == 200);
    CHECK(answer.body ==
          std::string{R"({"message_id":")"} + id + R"(","chunks":3,"lsn":"0/1F"})");
    CHECK(embedding_one.asked->message == message_id::parse(id));
    CHECK(embedding_one.asked->who->user == grant.user.id);
  }

  TEST_CASE_FIXTURE(embed_world, "a webhook comes with the service key") {
    auto what = bare("POST", path,
                     std::string{R"({"type":"INSERT","table":"messages","record":)"} +
                         R"({"id":")" + id + R"("},"old_record":null})");
    what.headers.emplace_back("apikey", "sb_secret_test");
    CHECK(ask(std::move(what)).status == 200);
    CHECK(embedding_one.asked->who->role == db_role::service_role);
  }

  TEST_CASE_FIXTURE(embed_world, "of a deleted message there is nothing to embed") {
    const auto answer = post(std::string{R"({"type":"DELETE","table":"messages",)"} +
                             R"("old_record":{"id":")" + id + "\"}}");
    CHECK(answer.status == 200);
    CHECK(answer.body == std::string{R"({"message_id":")"} + id + R"(","chunks":0})");
    CHECK_FALSE(embedding_one.asked);
  }

  TEST_CASE_FIXTURE(embed_world, "nobody in particular may not") {
    const auto answer = ask(as_anon("POST", path, R"({"text":"a"})"));
    CHECK(answer.status == 401);
    CHECK_FALSE(embedding.asked);
    CHECK(ask(bare("POST", path, R"({"text":"a"})")).status == 401);
  }

  TEST_CASE_FIXTURE(embed_world, "without an embedder the refusal says what to do") {
    caf::anon_send_exit(with.embedder, caf::exit_reason::user_shutdown);
    with.embedder = nullptr;
    const auto answer = post(R"({"text":"a"})");
    CHECK(answer.status == 503);
    CHECK(field(answer, "code") == "no_embedder");
    CHECK(field(answer, "message").contains("embedding.engine"));
  }

  TEST_CASE_FIXTURE(embed_world, "failures keep their codes") {
    embedding.say = [](const auto&) -> result<actors::texts_embedded> {
      return fail(errc::overloaded, "full");
    };
    CHECK(post(R"({"text":"a"})").status == 429);
    embedding_one.say = [](const auto&) -> result<actors::message_embedded> {
      return fail(errc::not_found, "no such message", "message_not_found");
    };
    const auto answer = post(std::string{R"({"message_id":")"} + id + "\"}");
    CHECK(answer.status == 404);
    CHECK(field(answer, "code") == "message_not_found");
    CHECK(post(R"({"texts":[]})").status == 400);
    with.settings.embedding.max_texts = 1;
    CHECK(post(R"({"texts":["a","b"]})").status == 413);
  }
}
