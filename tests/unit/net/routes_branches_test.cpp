#include "route_world.hpp"

#include <doctest/doctest.h>

#include <variant>

namespace {

using namespace jessica;
using test::field;

struct branch_world : test::route_world {
  receipt begun{*conversation_id::parse("33333333-3333-4333-8333-333333333333"),
                *message_id::parse("44444444-4444-4444-8444-444444444444"),
                *message_id::parse("55555555-5555-4555-8555-555555555555"),
                {7},
                false};

  branch_world() {
    branching.say = [this](const auto&) -> result<receipt> { return begun; };
  }
  net::http_response call(std::string_view name, std::string body) {
    return ask(as_user("POST", "/functions/v1/" + std::string{name}, std::move(body)));
  }
  [[nodiscard]] std::string of(std::string_view key, std::string more = {}) const {
    return "{\"" + std::string{key} + R"(":"44444444-4444-4444-8444-444444444444")" +
           more + "}";
  }
  template <class Wish> [[nodiscard]] const Wish& wished() {
    return std::get<Wish>(branching.asked.value().what);
  }
};

} // namespace

TEST_SUITE("net.routes_branches") {
  TEST_CASE_FIXTURE(branch_world, "what begins a reply answers as a send does") {
    const auto edited =
        call("edit-message", of("message_id", R"(,"content":"new","client_id":"c")"));
    CHECK(edited.status == 202);
    CHECK(field(edited, "reply_id") == begun.reply.str());
    CHECK(field(edited, "topic") == "conversation:" + begun.conversation.str());
    CHECK(branching.asked.value().who->user == grant.user.id);
    CHECK(wished<edit_wish>().message == begun.message);
    CHECK(wished<edit_wish>().content == "new");
    CHECK(wished<edit_wish>().client_id == "c");

    const auto again = call("regenerate-reply", of("reply_id"));
    CHECK(again.status == 202);
    CHECK(again.body == edited.body);
    CHECK_FALSE(wished<regenerate_wish>().params);

    CHECK(call("continue-reply", of("reply_id", R"(,"params":{"model":"m"})")).status ==
          202);
    CHECK(wished<continue_wish>().params == R"({"model":"m"})");
  }

  TEST_CASE_FIXTURE(branch_world, "a choice says what was chosen") {
    const auto chosen = call("select-branch", of("message_id"));
    CHECK(chosen.status == 200);
    CHECK(chosen.body == R"({"conversation_id":"33333333-3333-4333-8333-333333333333",)"
                         R"("message_id":"44444444-4444-4444-8444-444444444444"})");
    CHECK(wished<select_wish>().message == begun.message);
  }

  TEST_CASE_FIXTURE(branch_world, "refusals keep their reasons") {
    branching.say = [](const auto&) -> result<receipt> {
      return fail(errc::conflict, "the reply is still being written", "reply_running");
    };
    const auto running = call("continue-reply", of("reply_id"));
    CHECK(running.status == 409);
    CHECK(field(running, "code") == "reply_running");
    CHECK(field(running, "message") == "the reply is still being written");
    branching.say = [](const auto&) -> result<receipt> {
      return fail(errc::not_found, "no", "message_not_found");
    };
    CHECK(call("select-branch", of("message_id")).status == 404);
  }

  TEST_CASE_FIXTURE(branch_world, "bad bodies and strangers reach no actor") {
    for (const auto* name :
         {"edit-message", "regenerate-reply", "continue-reply", "select-branch"}) {
      for (const auto* body : {"", "{", R"({"message_id":"x","reply_id":"x"})"})
        CHECK(call(name, body).status == 400);
      CHECK(ask(as_anon("POST", "/functions/v1/" + std::string{name}, "{}")).status ==
            401);
    }
    CHECK_FALSE(branching.asked);
  }
}
