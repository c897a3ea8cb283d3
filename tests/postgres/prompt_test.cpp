#include "storage/chat.hpp"
#include "tests/postgres/seed.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace jessica::storage {
namespace {

using namespace test;

struct prompt_world {
  connection db{database(), role::requests};
  user_id ada = add_user();
  conversation_id room = add_conversation(ada);

  message_id add(std::string role, std::string content,
                 std::string status = "complete") {
    const auto id = message_id::make();
    admin("insert into public.messages (id, conversation_id, user_id, role, content, "
          "status) values ($1, $2, $3, $4, $5, $6)",
          {id.str(), room.str(), ada.str(), std::move(role), std::move(content),
           std::move(status)});
    return id;
  }
  [[nodiscard]] std::vector<std::string> texts(message_id upto, prompt_limits limits) {
    const auto read = load_prompt(db, ada, room, upto, limits);
    REQUIRE(read);
    auto all = std::vector<std::string>{};
    for (const auto& one : read->turns)
      all.push_back(one.role + ":" + one.content);
    return all;
  }
  [[nodiscard]] std::string refusal(user_id user, conversation_id where,
                                    message_id what) {
    const auto read = load_prompt(db, user, where, what, {10});
    return read || read.error().code != errc::not_found ? "" : read.error().reason;
  }
};

using strings = std::vector<std::string>;

} // namespace

TEST_SUITE("storage.chat") {
  TEST_CASE_FIXTURE(prompt_world, "a prompt is the finished turns up to the message") {
    add("system", "be brief");
    add("user", "one");
    add("assistant", "1");
    add("assistant", "cut off", "cancelled");
    add("assistant", "", "complete");
    add("tool", "output");
    const auto asked = add("user", "two");
    add("assistant", "", "pending");
    add("user", "three");
    CHECK(texts(asked, {10}) ==
          strings{"system:be brief", "user:one", "assistant:1", "user:two"});
    CHECK(texts(asked, {2}) == strings{"assistant:1", "user:two"});
    CHECK(texts(asked, {1}) == strings{"user:two"});
    CHECK(texts(asked, {0}) == strings{"user:two"});
  }

  TEST_CASE_FIXTURE(prompt_world,
                    "a prompt ends with the message that passes its size") {
    add("user", "one");
    add("assistant", "äöü"); // six bytes
    const auto asked = add("user", "two");
    const auto of_bytes = [&](std::size_t bytes) {
      return texts(asked, {.turns = 10, .bytes = bytes});
    };
    CHECK(of_bytes(0) == strings{"user:two"});
    CHECK(of_bytes(3) == strings{"user:two"});
    CHECK(of_bytes(4) == strings{"assistant:äöü", "user:two"});
    CHECK(of_bytes(9) == strings{"assistant:äöü", "user:two"});
    CHECK(of_bytes(10) == strings{"user:one", "assistant:äöü", "user:two"});
    // The same where there are branches.
    admin("update public.messages set after_seq = seq - 1 where id = $1",
          {asked.str()});
    CHECK(of_bytes(3) == strings{"user:two"});
    CHECK(of_bytes(9) == strings{"assistant:äöü", "user:two"});
    CHECK(of_bytes(10) == strings{"user:one", "assistant:äöü", "user:two"});
  }

  TEST_CASE_FIXTURE(prompt_world, "a prompt carries the conversation's choices") {
    const auto asked = add("user", "hi");
    const auto plain = load_prompt(db, ada, room, asked, {5});
    REQUIRE(plain);
    CHECK_FALSE(plain->system);
    CHECK_FALSE(plain->model);
    admin("update public.conversations set system_prompt = 'Be kind', model = 'tiny' "
          "where id = $1",
          {room.str()});
    const auto chosen = load_prompt(db, ada, room, asked, {5});
    REQUIRE(chosen);
    CHECK(chosen->system == "Be kind");
    CHECK(chosen->model == "tiny");
  }

  TEST_CASE_FIXTURE(prompt_world, "row security hides what is another's") {
    const auto asked = add("user", "secret");
    CHECK(refusal(add_user(), room, asked) == "conversation_not_found");
    CHECK(refusal(user_id{}, room, asked) == "conversation_not_found");
    CHECK(refusal(ada, conversation_id::make(), asked) == "conversation_not_found");
    CHECK(refusal(ada, add_conversation(ada), asked) == "message_not_found");
    CHECK(refusal(ada, room, message_id::make()) == "message_not_found");
    CHECK(refusal(ada, room, add("assistant", "", "pending")) == "message_not_found");
  }
}

} // namespace jessica::storage
