#include "storage/act_as.hpp"
#include "storage/chat.hpp"
#include "storage/jobs.hpp"
#include "storage/session.hpp"
#include "tests/postgres/seed.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <barrier>
#include <chrono>
#include <future>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace jessica::storage {
namespace {

using namespace test;
using namespace std::chrono_literals;

struct chat_world {
  connection db{database(), role::engine};
  user_id ada = add_user();
  conversation_id room = add_conversation(ada);

  [[nodiscard]] turn say(std::string text,
                         std::optional<std::string> client_id = {}) const {
    return {ada, room, false, std::move(text), std::move(client_id), "{}"};
  }
  [[nodiscard]] std::vector<result<receipt>> send(const std::vector<turn>& turns,
                                                  lease_id lease = {}) {
    auto stored = enqueue(db, lease, turns);
    REQUIRE(stored);
    REQUIRE(stored->size() == turns.size());
    return std::move(*stored);
  }
  [[nodiscard]] receipt send_one(const turn& what, lease_id lease = {}) {
    auto stored = send({what}, lease);
    REQUIRE(stored.front());
    return *stored.front();
  }
  [[nodiscard]] lease_id join() {
    const auto lease = join_node(db, "test", 10s);
    REQUIRE(lease);
    return *lease;
  }
  [[nodiscard]] std::int64_t messages_of(user_id user) const {
    return number_of("select count(*) from public.messages where user_id = $1",
                     {user.str()});
  }
  [[nodiscard]] std::string reply_text(const receipt& what, std::string column) const {
    return text_of("select " + column + " from public.messages where id = $1",
                   {what.reply.str()});
  }
  [[nodiscard]] std::string job_text(const receipt& what, std::string column) const {
    return text_of("select " + column + " from public.inference_jobs where id = $1",
                   {std::to_string(what.job.value)});
  }
};

[[nodiscard]] bool is_refused(const result<receipt>& answer) {
  return !answer && answer.error().code == errc::forbidden &&
         answer.error().reason == "conversation_not_found";
}

/// One word an outcome: stored, not ours, or to be tried again.
[[nodiscard]] std::string kept(const result<std::vector<result<bool>>>& answers) {
  REQUIRE(answers);
  auto words = std::string{};
  for (const auto& one : *answers)
    words += !one ? "later " : *one ? "yes " : "no ";
  return words;
}

/// The database is the clock.
void wait_until(const char* what, const char* condition) {
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (text_of(condition) != "t") {
    REQUIRE_MESSAGE(std::chrono::steady_clock::now() < deadline, what);
    admin("select pg_sleep(0.005)");
  }
}

void lose_node(lease_id lease) {
  admin("update jessica.nodes set until = now() - interval '1 s' where lease = $1",
        {std::to_string(lease.value)});
}

} // namespace

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

  TEST_CASE_FIXTURE(chat_world,
                    "finish stores text, usage and status and frees the job") {
    const auto lease = join();
    const auto answers = send({say("a"), say("b")}, lease);
    const auto outcomes = std::array{
        outcome{answers[0]->job, 1, false, "an answer, {\"with\"} \\", {7, 11, false}},
        outcome{answers[1]->job, 1, true, "half an ans", {3, 2, true}}};
    const auto ended = finish(db, lease, outcomes);
    CHECK(kept(ended) == "yes yes ");
    CHECK(reply_text(*answers[0], "content") == outcomes[0].content);
    CHECK(reply_text(*answers[0], "status") == "complete");
    CHECK(reply_text(*answers[0], "usage") ==
          R"({"estimated": false, "prompt_tokens": 7, )"
          R"("completion_tokens": 11})");
    CHECK(reply_text(*answers[1], "content") == "half an ans");
    CHECK(reply_text(*answers[1], "status") == "cancelled");
    CHECK(job_text(*answers[0], "status") == "done");
    CHECK(job_text(*answers[1], "status") == "cancelled");
    CHECK(number_of("select count(*) from jessica.running where lease = $1",
                    {std::to_string(lease.value)}) == 0);
  }

  TEST_CASE_FIXTURE(chat_world, "only the holder of the lease finishes, and once") {
    const auto lease = join();
    const auto made = send_one(say("a"), lease);
    const auto late = std::array{outcome{made.job, 1, false, "stale", {}}};
    CHECK(kept(finish(db, join(), late)) == "no ");
    CHECK(reply_text(made, "status") == "pending");
    CHECK(kept(finish(db, lease, late)) == "yes ");
    // Whoever asks twice did not get the first answer, and changes nothing.
    CHECK(kept(finish(db, lease,
                      std::array{outcome{made.job, 1, false, "again", {}}})) == "yes ");
    CHECK(kept(finish(db, lease,
                      std::array{outcome{made.job, 2, false, "other", {}}})) == "no ");
    CHECK(reply_text(made, "content") == "stale");
  }

  TEST_CASE_FIXTURE(chat_world, "a node that was swept finishes and saves nothing") {
    empty_queue();
    const auto lease = join();
    const auto made = send_one(say("a"), lease);
    lose_node(lease);
    CHECK(sweep(db) == 1);
    CHECK(kept(finish(db, lease,
                      std::array{outcome{made.job, 1, false, "late", {}}})) == "no ");
    CHECK(save(db, lease, std::array{checkpoint{made.job, 1, "late"}}) ==
          std::vector{job_hold::lost});
    CHECK(reply_text(made, "content").empty());
    CHECK(reply_text(made, "status") == "pending");
  }

  TEST_CASE_FIXTURE(chat_world, "a reply that cannot be stored fails alone, for good") {
    const auto lease = join();
    const auto answers = send({say("a"), say("b"), say("c")}, lease);
    const auto outcomes =
        std::array{outcome{answers[0]->job, 1, false, "fine", {}},
                   outcome{answers[1]->job, 1, false, std::string(300'000, 'x'), {}},
                   outcome{answers[2]->job, 1, false, "fine too", {}}};
    const auto ended = finish(db, lease, outcomes);
    CHECK(kept(ended) == "yes no yes ");
    CHECK(reply_text(*answers[0], "status") == "complete");
    CHECK(reply_text(*answers[1], "status") == "error");
    CHECK(job_text(*answers[1], "status") == "dead");
    CHECK(number_of("select count(*) from jessica.running where lease = $1",
                    {std::to_string(lease.value)}) == 0);
    const auto alone = send_one(say("d"), lease);
    const auto zero = outcome{alone.job, 1, false, std::string{"\0", 1}, {}};
    CHECK(kept(finish(db, lease, {&zero, 1})) == "no ");
    CHECK(job_text(alone, "status") == "dead");
  }

  TEST_CASE_FIXTURE(chat_world, "save keeps the text of jobs that are ours") {
    const auto lease = join();
    const auto answers = send({say("a"), say("b"), say("c")}, lease);
    admin("update public.inference_jobs set cancel_requested = true where id = $1",
          {std::to_string(answers[1]->job.value)});
    const auto texts =
        std::array{checkpoint{answers[0]->job, 1, "so far, \"so\" {good}"},
                   checkpoint{answers[1]->job, 1, "unwanted"},
                   checkpoint{answers[2]->job, 1, std::string{"zero\0byte", 9}}};
    CHECK(save(db, join(), std::span{texts}.first(2)) ==
          std::vector{job_hold::lost, job_hold::lost});
    CHECK(job_text(*answers[0], "coalesce(partial, '-')") == "-");
    // The last one's text cannot be stored: the job goes on without a checkpoint.
    CHECK(save(db, lease, texts) ==
          std::vector{job_hold::ours, job_hold::cancelled, job_hold::ours});
    CHECK(job_text(*answers[0], "partial") == texts[0].partial);
    CHECK(job_text(*answers[0], "status") == "running");
    CHECK(job_text(*answers[2], "coalesce(partial, '-')") == "-");
  }

  TEST_CASE_FIXTURE(chat_world, "a checkpoint never overtakes the end of its job") {
    const auto lease = join();
    const auto made = send_one(say("a"), lease);
    // Another connection has finished the job and not committed yet.
    auto other = open_session(database(), role::engine);
    REQUIRE(other);
    REQUIRE(execute(other->get(), "begin"));
    REQUIRE(execute(other->get(),
                    "select jessica.finish_jobs($1, array[$2::bigint], array[1], "
                    "array['done'], array['whole'], array[null]::jsonb[])",
                    std::array{parameter{std::to_string(lease.value)},
                               parameter{std::to_string(made.job.value)}}));
    auto saving = std::async(std::launch::async, [&] {
      return save(db, lease, std::array{checkpoint{made.job, 1, "who"}});
    });
    wait_until("somebody waits for a lock",
               "select count(*) > 0 from pg_stat_activity "
               "where wait_event_type = 'Lock' and query like '%jessica.checkpoint%'");
    REQUIRE(execute(other->get(), "commit"));
    CHECK(saving.get() == std::vector{job_hold::lost});
    CHECK(job_text(made, "status") == "done");
    CHECK(reply_text(made, "content") == "whole");
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

  TEST_CASE_FIXTURE(chat_world, "somebody's lock holds up one reply's end, not all") {
    const auto lease = join();
    const auto answers = send({say("a"), say("b")}, lease);
    auto holder = open_session(database(), role::migrations);
    REQUIRE(holder);
    REQUIRE(execute(holder->get(), "begin"));
    REQUIRE(execute(holder->get(),
                    "select from public.messages where id = $1 for update",
                    std::array{parameter{answers[0]->reply.str()}}));
    const auto outcomes = std::array{outcome{answers[0]->job, 1, false, "one", {}},
                                     outcome{answers[1]->job, 1, false, "two", {}}};
    CHECK(kept(finish(db, lease, outcomes)) == "later yes ");
    CHECK(job_text(*answers[0], "status") == "queued");
    REQUIRE(execute(holder->get(), "rollback"));
    CHECK(kept(finish(db, lease, outcomes)) == "yes yes ");
    CHECK(reply_text(*answers[0], "content") == "one");
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

  TEST_CASE_FIXTURE(chat_world, "a reply is stopped by its owner, and only by it") {
    auto requests = connection{database(), role::requests};
    const auto lease = join();
    const auto made = send_one(say("a"), lease);
    const auto foreign = stop_reply(requests, signed_in(add_user()), made.reply);
    REQUIRE(!foreign);
    CHECK(foreign.error().code == errc::not_found);
    CHECK(foreign.error().reason == "reply_not_found");
    const auto stopped = stop_reply(requests, signed_in(ada), made.reply);
    REQUIRE(stopped);
    CHECK(stopped->job == made.job);
    CHECK(stopped->status == "cancelling");
    CHECK(kept(finish(db, lease, std::array{outcome{made.job, 1, true, "ha", {}}})) ==
          "yes ");
    const auto again = stop_reply(requests, signed_in(ada), made.reply);
    REQUIRE(again);
    CHECK(again->status == "cancelled");
    CHECK(reply_text(made, "content") == "ha");
  }
}

} // namespace jessica::storage
