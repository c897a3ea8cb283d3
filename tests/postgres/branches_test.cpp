#include "tests/postgres/branches_world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <barrier>
#include <string>
#include <thread>
#include <vector>

namespace jessica::storage {
namespace {

using test::admin;
using test::branches_world;
using test::number_of;
using strings = std::vector<std::string>;

} // namespace

TEST_SUITE("storage.branches") {
  TEST_CASE_FIXTURE(branches_world, "without branches a path is the conversation") {
    say("one");
    const auto two = say("two");
    say("three");
    CHECK(path() == "one, re: one, two, re: two, three, re: three");
    CHECK(path(two.message) == "one, re: one, two");
    CHECK(number_of("select count(*) from public.messages where after_seq is not null "
                    "and conversation_id = $1",
                    {room.str()}) == 0);
  }

  TEST_CASE_FIXTURE(branches_world, "a long branch is read in parts, the last first") {
    const auto page = [&](const std::string& before, const std::string& most) {
      const auto found = as_user("select string_agg(p.content, ', ' order by p.seq) "
                                 "from public.conversation_path($1, null, " +
                                     before + ", " + most + ") p",
                                 {room.str()});
      REQUIRE_MESSAGE(found, found.error().what);
      return std::string{found->text(0, 0)};
    };
    say("one");
    const auto two = say("two");
    CHECK(page("null", "3") == "re: one, two, re: two");
    CHECK(page(of(two.message, "seq"), "1") == "re: one");
    const auto deux = edit(two.message, "deux");
    say("three");
    CHECK(page("null", "3") == "re: deux, three, re: three");
    CHECK(page("null", "5") == "re: one, deux, re: deux, three, re: three");
    CHECK(page(of(deux.message, "seq"), "1") == "re: one");
    CHECK(page(of(two.message, "seq"), "9") == "one, re: one");
  }

  TEST_CASE_FIXTURE(branches_world, "an edit is a version beside the old message") {
    say("one");
    const auto two = say("two");
    say("three");
    const auto other = edit(two.message, "deux");
    CHECK(other.conversation == room);
    CHECK(of(other.message, "role || content || status") == "userdeuxcomplete");
    CHECK(of(other.reply, "reply_to") == other.message.str());
    CHECK(path() == "one, re: one, deux 2/2, re: deux");
    select(two.message);
    CHECK(path() == "one, re: one, two 1/2, re: two, three, re: three");
    CHECK(path(other.reply) == "one, re: one, deux 2/2, re: deux");
  }

  TEST_CASE_FIXTURE(branches_world, "the first message has versions, too") {
    const auto one = say("one");
    const auto other = edit(one.message, "eins");
    CHECK(path() == "eins 2/2, re: eins");
    edit(other.message, "un");
    CHECK(path() == "un 3/3, re: un");
    select(one.message);
    CHECK(path() == "one 1/3, re: one");
  }

  TEST_CASE_FIXTURE(branches_world, "edits nest") {
    const auto a = say("a");
    const auto b = say("b");
    const auto b2 = edit(b.message, "b2");
    const auto c = say("c");
    const auto c2 = edit(c.message, "c2");
    const auto d = say("d");
    const auto d2 = edit(d.message, "d2");
    CHECK(path() == "a, re: a, b2 2/2, re: b2, c2 2/2, re: c2, d2 2/2, re: d2");
    CHECK(prompt_of(d2.message) ==
          strings{"a", "re: a", "b2", "re: b2", "c2", "re: c2", "d2"});
    select(c.message);
    CHECK(path() == "a, re: a, b2 2/2, re: b2, c 1/2, re: c");
    select(b.message);
    CHECK(path() == "a, re: a, b 1/2, re: b");
    select(b2.message); // the newest of all is below it
    CHECK(path() == "a, re: a, b2 2/2, re: b2, c2 2/2, re: c2, d2 2/2, re: d2");
    CHECK(number_of("select count(head_seq) from public.conversations where id = $1",
                    {room.str()}) == 0);
    select(d.reply);
    CHECK(path() == "a, re: a, b2 2/2, re: b2, c2 2/2, re: c2, d 1/2, re: d");
    CHECK(prompt_of(a.message) == strings{"a"});
    CHECK(prompt_of(d.message) ==
          strings{"a", "re: a", "b2", "re: b2", "c2", "re: c2", "d"});
    CHECK(c2.conversation == room);
  }

  TEST_CASE_FIXTURE(branches_world, "what is sent after a choice goes on there, once") {
    const auto one = say("one");
    edit(one.message, "eins");
    select(one.message);
    say("two");
    CHECK(path() == "one 1/2, re: one, two, re: two");
    say("three");
    CHECK(path() == "one 1/2, re: one, two, re: two, three, re: three");
    CHECK(number_of("select count(*) from public.messages where after_seq is not null "
                    "and conversation_id = $1",
                    {room.str()}) == 2);
  }

  TEST_CASE_FIXTURE(branches_world, "two sends after a choice follow each other") {
    const auto one = say("one");
    edit(one.message, "eins");
    select(one.message);
    SUBCASE("in one batch") {
      const auto what = std::vector{turn{ada, room, false, "two", {}, "{}"},
                                    turn{ada, room, false, "three", {}, "{}"}};
      REQUIRE(enqueue(engine, {}, what));
    }
    SUBCASE("in one batch, the first of which was stored before") {
      select(one.message);
      say("two", "seen");
      edit(one.message, "un");
      select(one.message);
      const auto what = std::vector{turn{ada, room, false, "two", "seen", "{}"},
                                    turn{ada, room, false, "three", {}, "{}"}};
      const auto stored = enqueue(engine, {}, what);
      REQUIRE(stored);
      CHECK(stored->at(0)->repeated);
    }
    SUBCASE("at once") {
      auto gate = std::barrier{2};
      const auto race = [&](std::string text) {
        auto line = connection{test::database(), role::engine};
        const auto what = turn{ada, room, false, std::move(text), {}, "{}"};
        gate.arrive_and_wait();
        (void)enqueue(line, {}, {&what, 1});
      };
      const auto first = std::jthread{[&] { race("two"); }};
      const auto second = std::jthread{[&] { race("three"); }};
    }
    admin("update public.messages set content = 'r', status = 'complete' "
          "where content = '' and conversation_id = $1",
          {room.str()});
    const auto now = path();
    CAPTURE(now);
    CHECK(now.starts_with("one 1/"));
    CHECK(now.contains("two"));
    CHECK(now.contains("three"));
    CHECK_FALSE(now.contains("eins"));
  }

  TEST_CASE_FIXTURE(branches_world, "two edits at once are two versions") {
    const auto one = say("one");
    say("two");
    auto gate = std::barrier{2};
    const auto race = [&](std::string text) {
      auto line = connection{test::database(), role::requests};
      gate.arrive_and_wait();
      const auto made =
          change_branch(line, test::signed_in(ada),
                        edit_wish{one.message, std::move(text), {}, "{}"});
      CHECK(made);
      return made ? made->reply : message_id{};
    };
    auto replies = std::vector<message_id>(2);
    {
      const auto first = std::jthread{[&] { replies[0] = race("x"); }};
      const auto second = std::jthread{[&] { replies[1] = race("y"); }};
    }
    for (const auto& reply : replies)
      answer(reply, "re");
    const auto now = path();
    CAPTURE(now);
    CHECK((now == "x 3/3, re" || now == "y 3/3, re"));
  }

  TEST_CASE_FIXTURE(branches_world, "the same client_id twice is one edit") {
    const auto one = say("one");
    const auto wish = edit_wish{one.message, "eins", "c", R"({"temperature": 1})"};
    const auto first = change(wish);
    const auto second = change(wish);
    REQUIRE(first);
    REQUIRE(second);
    CHECK(*first == *second);
    CHECK(number_of("select count(*) from public.messages where conversation_id = $1",
                    {room.str()}) == 4);
    CHECK(test::text_of("select params from public.inference_jobs where id = $1",
                        {std::to_string(first->job.value)}) == R"({"temperature": 1})");
  }

  TEST_CASE_FIXTURE(branches_world, "a client's own inserts go on with the choice") {
    const auto one = say("one");
    edit(one.message, "eins");
    select(one.message);
    const auto insert =
        std::string{"insert into public.messages (conversation_id, content, client_id) "
                    "values ($1, $2, $3) on conflict do nothing"};
    REQUIRE(as_user(insert, {room.str(), "two", "k"}));
    CHECK(path() == "one 1/2, re: one, two");
    select(one.reply);
    CHECK(path() == "one 1/2, re: one, two");
    edit(one.message, "un");
    select(one.message);
    REQUIRE(as_user(insert, {room.str(), "two", "k"})); // stores nothing
    REQUIRE(as_user(insert, {room.str(), "three", {}}));
    CHECK(path() == "one 1/3, re: one, two, three");
    select(one.message);
    REQUIRE(
        as_user("select * from public.enqueue_inference($1, 'four')", {room.str()}));
    CHECK(path() == "one 1/3, re: one, two, three, four, ");
  }

  TEST_CASE_FIXTURE(branches_world, "a client may say itself what a message follows") {
    const auto one = say("one");
    say("two");
    const auto after = of(one.reply, "seq");
    REQUIRE(as_user("insert into public.messages (conversation_id, content, after_seq) "
                    "values ($1, 'deux', $2)",
                    {room.str(), after}));
    CHECK(path() == "one, re: one, deux 2/2");
  }

  TEST_CASE_FIXTURE(branches_world, "a reply asked for late belongs to its message") {
    const auto one = say("one");
    REQUIRE(as_user("insert into public.messages (conversation_id, content) "
                    "values ($1, 'two')",
                    {room.str()}));
    const auto two = *message_id::parse(test::text_of(
        "select id from public.messages where content = 'two' and conversation_id = $1",
        {room.str()}));
    edit(one.message, "eins");
    const auto queued =
        as_user("select reply_id from public.queue_reply($1)", {two.str()});
    REQUIRE(queued);
    answer(*message_id::parse(queued->text(0, 0)), "late");
    CHECK(path() == "one 1/2, re: one, two, late");
  }

  TEST_CASE_FIXTURE(branches_world, "rows that nobody gave a place are one branch") {
    for (const auto* text : {"a", "b", "c"})
      admin("insert into public.messages (conversation_id, user_id, content) "
            "values ($1, $2, $3)",
            {room.str(), ada.str(), text});
    CHECK(path() == "a, b, c");
  }

  TEST_CASE_FIXTURE(branches_world,
                    "a deleted message leaves the others their places") {
    const auto a = say("a");
    const auto b = say("b");
    const auto b2 = edit(b.message, "b2");
    const auto c = say("c");
    const auto gone = [&](std::vector<message_id> which) {
      auto ids = std::vector<parameter>{};
      for (const auto& one : which)
        ids.emplace_back(one.str());
      REQUIRE(as_user("delete from public.messages where id = any ($1)",
                      {array_literal(ids)}));
    };
    SUBCASE("that began the branch") {
      gone({b2.message});
      CHECK(path() == "a, re: a, re: b2, c, re: c");
    }
    SUBCASE("that was before it") {
      gone({a.reply});
      CHECK(path() == "a, b2 2/2, re: b2, c, re: c");
    }
    SUBCASE("with all that led there") {
      gone({a.message, a.reply, b2.message, b2.reply});
      CHECK(path() == "c 2/2, re: c"); // beside "b", which begins it now, too
    }
    SUBCASE("and another branch that began there") {
      const auto c2 = edit(c.message, "c2");
      gone({b2.message, b2.reply, c2.message});
      CHECK(path() == "a, re: a, re: c2");
      select(c.message);
      CHECK(path() == "a, re: a, c 2/2, re: c");
    }
    SUBCASE("that was chosen to go on after") {
      const auto b3 = edit(b.message, "b3");
      edit(b.message, "b4");
      select(b3.message);
      gone({b3.message, b3.reply});
      CHECK(path() == "a, re: a");
    }
    SUBCASE("and all of them at once") {
      REQUIRE(as_user("delete from public.conversations where id = $1", {room.str()}));
      CHECK(number_of("select count(*) from public.messages where conversation_id = $1",
                      {room.str()}) == 0);
    }
  }

  TEST_CASE_FIXTURE(branches_world, "nobody sees or makes another's branches") {
    const auto one = say("one");
    const auto other = edit(one.message, "eins");
    const auto stranger = test::signed_in(test::add_user());
    CHECK(path_as(stranger).empty());
    CHECK(refusal(edit_wish{one.message, "x", {}, "{}"}, stranger) ==
          "not_found message_not_found");
    CHECK(refusal(regenerate_wish{one.reply, {}}, stranger) ==
          "not_found reply_not_found");
    CHECK(refusal(continue_wish{one.reply, {}}, stranger) ==
          "not_found reply_not_found");
    CHECK(refusal(select_wish{one.message}, stranger) == "not_found message_not_found");
    CHECK(refusal(edit_wish{message_id::make(), "x", {}, "{}"}) ==
          "not_found message_not_found");
    CHECK(refusal(edit_wish{other.reply, "x", {}, "{}"}) ==
          "not_found message_not_found");
    CHECK(refusal(regenerate_wish{other.message, {}}) == "not_found reply_not_found");
    CHECK(path() == "eins 2/2, re: eins");
  }

  TEST_CASE_FIXTURE(branches_world, "a conversation that somebody holds is busy") {
    const auto one = say("one");
    auto holder = connection{test::database(), role::migrations};
    const auto hold = std::jthread{[&] {
      (void)holder.run(std::array{
          statement{"select from public.conversations where id = $1 for update",
                    {room.str()}},
          statement{"select pg_sleep(2.5)", {}}});
    }};
    const auto held = [&] {
      return number_of("select count(*) from pg_stat_activity "
                       "where query like 'select pg_sleep(2.5)%'") > 0;
    };
    while (!held())
      admin("select pg_sleep(0.005)");
    CHECK(refusal(edit_wish{one.message, "x", {}, "{}"}) ==
          "overloaded conversation_busy");
  }
}

} // namespace jessica::storage
