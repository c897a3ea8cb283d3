#include "tests/unit/net/route_world.hpp"

#include <doctest/doctest.h>

namespace jessica {
namespace {

struct broadcast_world : test::route_world {
  static constexpr auto one = std::string_view{"/realtime/v1/api/broadcast/t/events/e"};
  static constexpr auto batch = std::string_view{"/realtime/v1/api/broadcast"};

  broadcast_world() {
    broadcasting.say = [](const auto&) { return actors::broadcasts_sent{}; };
  }
  [[nodiscard]] static net::http_request json(net::http_request what) {
    what.headers.emplace_back("content-type", "application/json");
    return what;
  }
};

TEST_SUITE("net.routes_realtime") {
  TEST_CASE_FIXTURE(broadcast_world, "one broadcast is sent as its caller") {
    const auto answer =
        ask(json(as_user("POST", std::string{one} + "?private=true", "{}")));
    CHECK(answer.status == 202);
    CHECK(answer.body.empty());
    const auto& asked = broadcasting.asked.value();
    CHECK(asked.who->user == grant.user.id);
    CHECK(asked.ip == "192.0.2.7");
    REQUIRE(asked.messages.size() == 1);
    CHECK(asked.messages[0].topic == "t");
    CHECK(asked.messages[0].is_private);
    CHECK(ask(json(as_anon("POST", one, "{}"))).status == 202);
    CHECK(broadcasting.asked.value().who->role == db_role::anon);
  }

  TEST_CASE_FIXTURE(broadcast_world,
                    "what is refused is 403 alone, dropped in a batch") {
    broadcasting.say = [](const auto&) { return actors::broadcasts_sent{1}; };
    const auto alone = ask(json(as_anon("POST", one, "{}")));
    CHECK(alone.status == 403);
    CHECK(alone.body == R"({"message":"Unauthorized"})");
    const auto among = ask(as_anon(
        "POST", batch, R"({"messages":[{"topic":"t","event":"e","payload":{}}]})"));
    CHECK(among.status == 202);
  }

  TEST_CASE_FIXTURE(broadcast_world, "nothing is sent without a good key and token") {
    for (const auto path : {one, batch}) {
      CHECK(ask(json(bare("POST", path, "{}"))).body ==
            R"({"message":"No API key found in request"})");
      const auto forged = ask(json(with_token("a.b.c", "POST", path, "{}")));
      CHECK(forged.status == 401);
      CHECK(forged.body == R"({"message":"Unauthorized"})");
    }
    CHECK_FALSE(broadcasting.asked);
  }

  TEST_CASE_FIXTURE(broadcast_world, "bad requests reach no actor") {
    CHECK(ask(as_anon("POST", one, "{}")).status == 415);
    CHECK(ask(json(as_anon("POST", one, "{"))).status == 422);
    CHECK(ask(as_anon("POST", batch, "{}")).status == 422);
    CHECK(ask(as_anon("POST", "/realtime/v1/api/broadcast/t")).status == 404);
    CHECK(ask(as_anon("GET", batch)).status == 405);
    with.settings.realtime.events_per_second = 1;
    CHECK(ask(as_anon("POST", batch, R"({"messages":[1,2]})")).status == 429);
    CHECK_FALSE(broadcasting.asked);
  }

  TEST_CASE_FIXTURE(broadcast_world, "too many a second is 429 with a time to wait") {
    broadcasting.say = [](const auto&) -> result<actors::broadcasts_sent> {
      return fail(errc::overloaded, "", "too_many_messages");
    };
    const auto answer = ask(json(as_anon("POST", one, "{}")));
    CHECK(answer.status == 429);
    CHECK(answer.body == R"({"message":"Too many messages per second"})");
    CHECK(test::header(answer, "Retry-After") == "1");
  }
}

} // namespace
} // namespace jessica
