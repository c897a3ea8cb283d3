#include "storage/titles.hpp"
#include "tests/postgres/seed.hpp"

#include <doctest/doctest.h>

#include <string>

namespace jessica::storage {
namespace {

using namespace test;

struct title_world {
  connection db{database(), role::requests};
  user_id ada = add_user();
  conversation_id room = add_conversation(ada);

  void say(std::string role, std::string content) {
    admin("insert into public.messages (conversation_id, user_id, role, content) "
          "values ($1, $2, $3, $4)",
          {room.str(), ada.str(), std::move(role), std::move(content)});
  }
  void call(std::string title) {
    admin("update public.conversations set title = $2 where id = $1",
          {room.str(), std::move(title)});
  }
  [[nodiscard]] std::string title() {
    return text_of("select coalesce(title, '(none)') from public.conversations "
                   "where id = $1",
                   {room.str()});
  }
  [[nodiscard]] bool untitled(user_id who) {
    const auto found = load_untitled(db, who, room);
    REQUIRE(found);
    return found->has_value();
  }
  [[nodiscard]] bool store(user_id who, std::string_view title) {
    const auto stored = store_title(db, who, room, title);
    REQUIRE(stored);
    return *stored;
  }
};

} // namespace

TEST_SUITE("storage.titles") {
  TEST_CASE_FIXTURE(title_world,
                    "a title that nobody chose gives way to a better one") {
    say("user", "When  does\nthe ferry leave?");
    say("assistant", "At seven.");
    say("user", "And the next?");
    call("When does the ferry leave?");
    const auto found = load_untitled(db, ada, room);
    REQUIRE(found);
    REQUIRE(*found);
    CHECK((*found)->question == "When  does\nthe ferry leave?");
    CHECK((*found)->reply == "At seven.");
    CHECK(store(ada, "Ferry times"));
    CHECK(title() == "Ferry times");
  }

  TEST_CASE_FIXTURE(title_world, "so does none at all, and an empty one") {
    say("user", "When?");
    CHECK(untitled(ada));
    call("");
    CHECK(untitled(ada));
    CHECK(store(ada, "Ferry times"));
    CHECK(title() == "Ferry times");
  }

  TEST_CASE_FIXTURE(title_world, "a title that its owner chose stays") {
    say("user", "When?");
    call("My journey");
    CHECK_FALSE(untitled(ada));
    CHECK_FALSE(store(ada, "Ferry times"));
    CHECK(title() == "My journey");
  }

  TEST_CASE_FIXTURE(title_world, "a title that was chosen meanwhile stays") {
    say("user", "When?");
    CHECK(untitled(ada));
    call("My journey");
    CHECK_FALSE(store(ada, "Ferry times"));
    CHECK(title() == "My journey");
  }

  TEST_CASE_FIXTURE(title_world, "a conversation without words has nothing to name") {
    CHECK_FALSE(untitled(ada));
  }

  TEST_CASE_FIXTURE(title_world, "nobody names a conversation of somebody else") {
    say("user", "When?");
    const auto eve = add_user();
    CHECK_FALSE(untitled(eve));
    CHECK_FALSE(store(eve, "Eve was here"));
    CHECK(title() == "(none)");
  }

  TEST_CASE("the first title is the first words of a text, on one line") {
    CHECK(text_of("select public.first_title(E'  two \\n words ')") == "two words");
    CHECK(number_of("select length(public.first_title(repeat('word ', 100000)))") ==
          80);
    CHECK(text_of("select coalesce(public.first_title(E' \\n '), 'none')") == "none");
  }
}

} // namespace jessica::storage
