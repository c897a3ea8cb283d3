#include "tests/postgres/chat_world.hpp"

#include <doctest/doctest.h>

#include <array>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace jessica::storage {

using namespace test;
using namespace std::chrono_literals;

TEST_SUITE("storage.chat") {
  TEST_CASE_FIXTURE(chat_world, "a turn is stored with its pending reply and its job") {
    auto what = say("hello \xf0\x9f\x98\x80, \"quotes\" \\ and {braces}");
    what.params = R"({"temperature": 0.5})";
    const auto made = send_one(what);
    CHECK(made.conversation == room);
    CHECK_FALSE(made.repeated);
    const auto row = admin("select role, status, content, user_id, conversation_id "
                           "from public.messages where id = $1",
                           {made.message.str()});
    CHECK(row.text(0, 0) == "user");
    CHECK(row.text(0, 1) == "complete");
    CHECK(row.text(0, 2) == what.content);
    CHECK(row.text(0, 3) == ada.str());
    CHECK(row.text(0, 4) == room.str());
    CHECK(reply_text(made, "status") == "pending");
    CHECK(reply_text(made, "role") == "assistant");
    CHECK(reply_text(made, "reply_to") == made.message.str());
    CHECK(job_text(made, "params") == R"({"temperature": 0.5})");
    CHECK(job_text(made, "reply_id") == made.reply.str());
  }

  TEST_CASE_FIXTURE(chat_world,
                    "with a lease the job is born running, without it waits") {
    const auto lease = join();
    const auto mine = send_one(say("a"), lease);
    CHECK(number_of("select lease from jessica.running where id = $1",
                    {std::to_string(mine.job.value)}) == lease.value);
    const auto queued = send_one(say("b"));
    CHECK(number_of("select count(*) from jessica.ready where id = $1",
                    {std::to_string(queued.job.value)}) == 1);
  }

  TEST_CASE_FIXTURE(chat_world, "no turns are no work") {
    CHECK(send({}).empty());
    CHECK(finish(db, {}, {})->empty());
    CHECK(save(db, {}, {})->empty());
  }

  TEST_CASE_FIXTURE(chat_world, "a conversation that is not the author's is refused") {
    const auto eve = add_user();
    auto foreign = say("mine now");
    foreign.author = eve;
    auto unknown = say("nowhere");
    unknown.conversation = conversation_id::make();
    auto nobody = say("from nobody");
    nobody.author = user_id::make();
    for (const auto& answer : send({foreign, unknown, nobody}))
      CHECK(is_refused(answer));
    CHECK(messages_of(ada) == 0);
    CHECK(messages_of(eve) == 0);
  }

  TEST_CASE_FIXTURE(chat_world, "banned and deleted users cannot send") {
    admin("update auth.users set banned_until = now() + interval '1 h' where id = $1",
          {ada.str()});
    CHECK(is_refused(send({say("a")}).front()));
    admin("update auth.users set banned_until = now() - interval '1 s' where id = $1",
          {ada.str()});
    CHECK(send({say("b")}).front());
    admin("update auth.users set deleted_at = now() where id = $1", {ada.str()});
    CHECK(is_refused(send({say("c")}).front()));
    CHECK(messages_of(ada) == 2);
  }

  TEST_CASE_FIXTURE(chat_world, "200 turns with refused ones inside answer in order") {
    auto turns = std::vector<turn>{};
    for (auto i = 0; i < 200; ++i) {
      turns.push_back(say(std::to_string(i)));
      if (i % 7 == 3)
        turns.back().conversation = conversation_id::make();
      if (i % 5 == 0)
        turns.back().client_id = "k" + std::to_string(i);
    }
    const auto answers = send(turns);
    auto seen = std::set<std::int64_t>{};
    for (auto i = std::size_t{0}; i < turns.size(); ++i) {
      CAPTURE(i);
      if (i % 7 == 3) {
        CHECK(is_refused(answers[i]));
        continue;
      }
      REQUIRE(answers[i]);
      CHECK(text_of("select content from public.messages where id = $1",
                    {answers[i]->message.str()}) == turns[i].content);
      CHECK(number_of("select id from public.inference_jobs where message_id = $1",
                      {answers[i]->message.str()}) == answers[i]->job.value);
      seen.insert(answers[i]->job.value);
    }
    CHECK(seen.size() == 171);
    CHECK(messages_of(ada) == 2 * 171);
  }

  TEST_CASE_FIXTURE(chat_world,
                    "one client_id twice in a batch gives one receipt twice") {
    const auto answers = send({say("a", "k"), say("b"), say("a", "k")});
    REQUIRE(answers[0]);
    REQUIRE(answers[2]);
    CHECK_FALSE(answers[0]->repeated);
    auto again = *answers[0];
    again.repeated = true;
    CHECK(*answers[2] == again);
    CHECK(messages_of(ada) == 4);
  }

  TEST_CASE_FIXTURE(chat_world, "a resend gets the first receipt and stores nothing") {
    auto first = send_one(say("a", "k"));
    const auto again = send_one(say("a", "k"));
    first.repeated = true;
    CHECK(again == first);
    CHECK(messages_of(ada) == 2);
    CHECK(number_of("select count(*) from public.inference_jobs where user_id = $1",
                    {ada.str()}) == 1);
  }

  TEST_CASE_FIXTURE(chat_world, "a client_id is its author's own") {
    const auto first = send_one(say("a", "k"));
    const auto bob = add_user();
    const auto other =
        send_one({bob, add_conversation(bob), false, "b", std::string{"k"}, "{}"});
    CHECK_FALSE(other.repeated);
    CHECK(other.message != first.message);
  }

  TEST_CASE_FIXTURE(chat_world, "two connections that race with one client_id agree") {
    constexpr auto rounds = 25;
    auto other = connection{database(), role::engine};
    auto answers = std::array<std::vector<result<receipt>>, 2>{};
    auto gate = std::barrier{2};
    const auto race = [&](connection& mine, std::vector<result<receipt>>& into) {
      for (auto i = 0; i < rounds; ++i) {
        gate.arrive_and_wait();
        auto stored =
            enqueue(mine, {}, std::array{say("a", "race" + std::to_string(i))});
        into.push_back(stored ? stored->front() : std::unexpected{stored.error()});
      }
    };
    {
      const auto second = std::jthread{[&] { race(other, answers[1]); }};
      race(db, answers[0]);
    }
    for (auto i = std::size_t{0}; i < rounds; ++i) {
      REQUIRE(answers[0][i]);
      REQUIRE(answers[1][i]);
      CHECK(answers[0][i]->repeated != answers[1][i]->repeated);
      CHECK(answers[0][i]->message == answers[1][i]->message);
      CHECK(answers[0][i]->reply == answers[1][i]->reply);
      CHECK(answers[0][i]->job == answers[1][i]->job);
    }
    CHECK(messages_of(ada) == 2 * rounds);
  }

  TEST_CASE_FIXTURE(chat_world,
                    "a turn may open its conversation, named by what it says") {
    auto what = say("  What is\n a lease? ");
    what.conversation = conversation_id::make();
    what.opens = true;
    const auto made = send_one(what);
    CHECK(made.conversation == what.conversation);
    const auto row =
        admin("select user_id, title from public.conversations where id = $1",
              {made.conversation.str()});
    REQUIRE(row.size() == 1);
    CHECK(row.text(0, 0) == ada.str());
    CHECK(row.text(0, 1) == "What is a lease?");
  }

  TEST_CASE_FIXTURE(chat_world,
                    "a resend that would open again leaves no conversation") {
    const auto open = [&] {
      auto what = say("a", "k");
      what.conversation = conversation_id::make();
      what.opens = true;
      return what;
    };
    const auto answers = send({open(), open()});
    REQUIRE(answers[0]);
    REQUIRE(answers[1]);
    CHECK(answers[1]->repeated);
    CHECK(answers[1]->conversation == answers[0]->conversation);
    const auto again = send_one(open());
    CHECK(again.repeated);
    CHECK(again.conversation == answers[0]->conversation);
    CHECK(number_of("select count(*) from public.conversations where user_id = $1",
                    {ada.str()}) == 2); // room and the one opened
  }

  TEST_CASE_FIXTURE(chat_world, "nobody opens a conversation that exists for another") {
    auto what = say("a");
    what.author = add_user();
    what.opens = true;
    CHECK(is_refused(send({what}).front()));
    what.author = user_id::make(); // nor does an unknown user open any
    what.conversation = conversation_id::make();
    CHECK(is_refused(send({what}).front()));
    CHECK(number_of("select count(*) from public.conversations where id = $1",
                    {what.conversation.str()}) == 0);
  }

  TEST_CASE_FIXTURE(chat_world, "one turn that cannot be stored sinks no other") {
    auto broken = say("b");
    broken.params = "{not json";
    const auto too_long = say(std::string(300'000, 'x'));
    const auto zero = say(std::string{"a\0b", 3});
    const auto answers =
        send({say("a"), broken, say("c", "k"), too_long, zero, say("e")});
    CHECK(answers[0]);
    CHECK(answers[2]);
    CHECK(answers[5]);
    for (const auto i : {std::size_t{1}, std::size_t{3}, std::size_t{4}}) {
      REQUIRE_FALSE(answers[i]);
      CHECK(answers[i].error().code == errc::invalid_input);
    }
    CHECK(messages_of(ada) == 6);
  }

  TEST_CASE_FIXTURE(chat_world, "without a database the whole batch is unavailable") {
    auto gone = connection{{"host=/nonexistent dbname=x", false, 1s}, role::engine};
    const auto turns = std::array{say("a"), say("b")};
    const auto stored = enqueue(gone, {}, turns);
    REQUIRE_FALSE(stored);
    CHECK(stored.error().code == errc::unavailable);
  }

  TEST_CASE_FIXTURE(chat_world, "somebody's lock holds up one conversation, not all") {
    const auto other_room = add_conversation(ada);
    auto holder = open_session(database(), role::migrations);
    REQUIRE(holder);
    REQUIRE(execute(holder->get(), "begin"));
    REQUIRE(execute(holder->get(),
                    "select from public.conversations where id = $1 for update",
                    std::array{parameter{room.str()}}));
    auto elsewhere = say("elsewhere");
    elsewhere.conversation = other_room;
    auto opening = say("a new one");
    opening.conversation = conversation_id::make();
    opening.opens = true;
    const auto answers = send({say("held"), elsewhere, opening, say("held too")});
    CHECK(answers[1]);
    CHECK(answers[2]);
    for (const auto n : {0U, 3U}) {
      REQUIRE(!answers[n]);
      CHECK(answers[n].error().code == errc::overloaded);
      CHECK(answers[n].error().reason == "conversation_busy");
    }
    REQUIRE(execute(holder->get(), "rollback"));
    CHECK(send_one(say("free again")).job.value > 0);
  }
}

} // namespace jessica::storage
