#include "tests/unit/actors/session_client.hpp"

#include <doctest/doctest.h>

TEST_SUITE_BEGIN("actors.session_send");

namespace {

using namespace jessica;
using namespace jessica::actors;
using namespace jessica::test;
using namespace std::chrono_literals;
using client = session_client;

} // namespace

TEST_CASE("message.send stores the turn as the token's user and answers with its ids") {
  auto c = client{};
  c.connect();
  c.send_answer = receipt{c.conversation, message_id::make(), message_id::make(), {9}};
  c.join(c.conversation_topic(), true, c.token());
  c.push(c.conversation_topic(), "broadcast",
         broadcast_of("message.send", R"({"content":"hello","client_id":"k1"})"));
  REQUIRE(c.sent.size() == 1);
  CHECK(c.sent[0].author == c.user);
  CHECK(c.sent[0].conversation == c.conversation);
  CHECK(c.sent[0].client_id == "k1");
  CHECK(c.last_status() == "ok");
  CHECK(c.last().at("payload").at("response").at("job_id") == 9);
}

TEST_CASE("bad sends are refused with their reason and store nothing") {
  auto c = client{};
  c.connect();
  c.join(c.conversation_topic(), true, c.token());
  for (const auto& body : {std::string{"{}"}, std::string{R"({"content":""})"},
                           R"({"content":")" + std::string(2000, 'x') + "\"}"}) {
    c.push(c.conversation_topic(), "broadcast", broadcast_of("message.send", body));
    CHECK(c.last_status() == "error");
  }
  CHECK(c.sent.empty());
}

TEST_CASE("a refused send says why") {
  auto c = client{};
  c.connect();
  c.join(c.conversation_topic(), true, c.token());
  c.send_answer = fail(errc::forbidden, "row security", "conversation_not_found");
  c.push(c.conversation_topic(), "broadcast",
         broadcast_of("message.send", R"({"content":"x"})"));
  CHECK(c.last_reason() == "conversation_not_found");
}

TEST_CASE("a send over the quota says which limit, and when it resets") {
  auto c = client{};
  c.connect();
  c.join(c.conversation_topic(), true, c.token());
  auto why = error{errc::overloaded, "x", "quota_exceeded", nullptr};
  why.sql = std::make_shared<const sql_fault>(sql_fault{
      "PGRST",
      R"({"code":"quota_exceeded","details":"{\"code\":\"quota_exceeded\",)"
      R"(\"limit\":\"tokens_per_day\",\"limit_value\":5,\"retry_after\":9}"})",
      {},
      {}});
  c.send_answer = std::unexpected{why};
  c.push(c.conversation_topic(), "broadcast",
         broadcast_of("message.send", R"({"content":"x"})"));
  CHECK(c.last_status() == "error");
  CHECK(c.last_reason() == "quota_exceeded");
  const auto told = c.last();
  const auto& response = told.at("payload").at("response");
  CHECK(response.at("code") == "quota_exceeded");
  CHECK(response.at("limit") == "tokens_per_day");
  CHECK(response.at("limit_value") == 5);
}

TEST_CASE("clients cannot pretend to be the reply stream") {
  auto c = client{};
  c.connect();
  c.join(c.conversation_topic(), true, c.token());
  c.push(c.conversation_topic(), "broadcast", broadcast_of("reply.delta", "{}"));
  CHECK(c.last_reason() == "reserved_event");
  CHECK(c.out->broadcasts("reply.delta").empty());
}

TEST_CASE("reply.stop stops a reply as the channel's user") {
  auto c = client{};
  c.connect();
  c.join(c.conversation_topic(), true, c.token());
  const auto reply = message_id::make();
  c.push(c.conversation_topic(), "broadcast",
         broadcast_of("reply.stop", R"({"id":")" + reply.str() + R"("})"));
  REQUIRE(c.dispatcher.stops.size() == 1);
  CHECK(c.dispatcher.stops[0].who->user == c.user);
  CHECK(c.dispatcher.stops[0].reply == reply);
  CHECK(c.last_status() == "ok");
  CHECK(c.last().at("payload").at("response").at("status") == "cancelling");
  CHECK(c.out->broadcasts("reply.stop").empty()); // not relayed
}

TEST_CASE("a stop that names no reply, or another's, is refused") {
  auto c = client{};
  c.connect();
  c.join(c.conversation_topic(), true, c.token());
  for (const auto* body : {"{}", R"({"id":7})", R"({"id":"nonsense"})"}) {
    c.push(c.conversation_topic(), "broadcast", broadcast_of("reply.stop", body));
    CHECK(c.last_status() == "error");
  }
  CHECK(c.dispatcher.stops.empty());
  c.dispatcher.stop_answer = fail(errc::not_found, "no such reply", "reply_not_found");
  c.push(c.conversation_topic(), "broadcast",
         broadcast_of("reply.stop", R"({"id":")" + message_id::make().str() + R"("})"));
  CHECK(c.last_reason() == "reply_not_found");
}

TEST_SUITE_END();
