#include "storage/act_as.hpp"
#include "tests/postgres/chat_world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace jessica::storage {

using namespace test;

TEST_SUITE("storage.chat_policies") {
  TEST_CASE_FIXTURE(chat_world, "the batch accepts what row security accepts") {
    auto requests = connection{database(), role::requests};
    auto users = std::vector{ada, add_user(), user_id::make()};
    auto rooms = std::vector{room, add_conversation(ada), add_conversation(users[1]),
                             conversation_id::make()};
    auto turns = std::vector<turn>{};
    auto allowed = std::vector<bool>{};
    for (const auto user : users)
      for (const auto conversation : rooms) {
        turns.push_back({user, conversation, false, "x", {}, "{}"});
        const auto call =
            std::array{act_as_user(user, access::read_write),
                       statement{"select * from public.enqueue_inference($1, 'x')",
                                 {conversation.str()}}};
        allowed.push_back(requests.run(call).has_value());
      }
    const auto answers = send(turns);
    for (auto i = std::size_t{0}; i < turns.size(); ++i)
      CHECK(answers[i].has_value() == allowed[i]);
    CHECK(std::ranges::count(allowed, true) == 3);
  }

  TEST_CASE_FIXTURE(chat_world, "sends as their authors do what the batch does") {
    auto requests = connection{database(), role::requests};
    const auto eve = add_user();
    auto foreign = say("not mine");
    foreign.author = eve;
    auto opening = say("a new one", "k1");
    opening.conversation = conversation_id::make();
    opening.opens = true;
    const auto answers =
        enqueue_as_authors(requests, std::array{say("hello"), foreign, opening});
    REQUIRE(answers);
    REQUIRE(answers->at(0));
    CHECK(is_refused(answers->at(1)));
    REQUIRE(answers->at(2));
    CHECK(messages_of(eve) == 0);
    CHECK(reply_text(*answers->at(0), "status") == "pending");
    CHECK(answers->at(2)->conversation == opening.conversation);
    CHECK(text_of("select title from public.conversations where id = $1",
                  {opening.conversation.str()}) == "a new one");
    CHECK(number_of("select count(*) from jessica.ready where id = $1",
                    {std::to_string(answers->at(2)->job.value)}) == 1);

    opening.conversation = conversation_id::make();
    const auto again = enqueue_as_authors(requests, std::array{opening});
    REQUIRE(again);
    REQUIRE(again->front());
    CHECK(again->front()->repeated);
    CHECK(again->front()->conversation == answers->at(2)->conversation);
    CHECK(again->front()->reply == answers->at(2)->reply);
    CHECK(again->front()->job == answers->at(2)->job);
    CHECK(number_of("select count(*) from public.conversations where user_id = $1",
                    {ada.str()}) == 2);
  }

  TEST_CASE_FIXTURE(chat_world,
                    "a project's own policy decides about sends as authors") {
    auto requests = connection{database(), role::requests};
    admin("create policy no_shouting on public.messages as restrictive for insert "
          "to authenticated with check (content <> upper(content))");
    const auto answers =
        enqueue_as_authors(requests, std::array{say("QUIET"), say("ok")});
    admin("drop policy no_shouting on public.messages");
    REQUIRE(answers);
    CHECK(is_refused(answers->at(0)));
    CHECK(answers->at(1));
  }
}

} // namespace jessica::storage
