#include "tests/postgres/memory_world.hpp"

#include <array>
#include <string>
#include <vector>

namespace jessica::storage {
namespace {

using namespace test;
using namespace std::chrono_literals;

[[nodiscard]] text_failure failure_of(const text_work& what, bool retryable = true) {
  return {what.place, what.version, what.attempt, "boom", retryable};
}

} // namespace

TEST_SUITE("storage.embeddings") {
  TEST_CASE_FIXTURE(memory_world, "every text waits, whoever wrote it") {
    const auto by_sql = write("by SQL");
    const auto what = turn{ada, room, false, "by the server", {}, "{}"};
    const auto sent = enqueue(db, {}, {&what, 1});
    REQUIRE(sent);
    admin("select set_config('request.jwt.claims', $1, true), "
          "(select message_id from public.enqueue_inference($2, 'by RPC'))",
          {R"({"sub":")" + ada.str() + R"("})", room.str()});
    const auto taken = claim();
    REQUIRE(taken.size() == 3); // and no reply that is still to be written
    CHECK(taken[0].message == by_sql);
    CHECK(taken[0].text == "by SQL");
    CHECK(taken[0].attempt == 1);
    CHECK(taken[1].message == (*sent)[0]->message);
    CHECK(taken[2].text == "by RPC");
  }

  TEST_CASE_FIXTURE(memory_world, "what has no text does not wait") {
    (void)write("");
    (void)write(" \n\t ");
    (void)write("\u00a0\u2003\x01\x7f\u0085\u3000"); // as embedders see it
    (void)write("half a repl", "streaming");
    (void)write("", "pending");
    (void)write("out of order", "error");
    CHECK(waiting() == 0);
  }

  TEST_CASE_FIXTURE(memory_world, "a reply waits when it is finished") {
    const auto lease = join_node(db, "node-1", 10s);
    const auto what = turn{ada, room, false, "question", {}, "{}"};
    const auto sent = enqueue(db, *lease, {&what, 1});
    REQUIRE(sent);
    const auto& made = *(*sent)[0];
    CHECK(waiting() == 1);
    const auto end = outcome{made.job, 1, false, "answer", {}};
    REQUIRE(finish(db, *lease, {&end, 1}));
    const auto taken = claim();
    REQUIRE(taken.size() == 2);
    CHECK(taken[1].message == made.reply);
    CHECK(taken[1].version == 1);
  }

  TEST_CASE_FIXTURE(memory_world, "so does one that was cancelled with some text") {
    const auto reply = write("half a reply", "streaming");
    admin("update public.messages set status = 'cancelled' where id = $1",
          {reply.str()});
    CHECK(claim().size() == 1);
  }

  TEST_CASE_FIXTURE(memory_world, "a text of a transaction that fails never waits") {
    {
      auto open = open_transaction{
          "insert into public.messages (conversation_id, user_id, content) values ('" +
          room.str() + "', '" + ada.str() + "', 'never said')"};
      CHECK(waiting() == 0);
    }
    CHECK(waiting() == 0);
  }

  TEST_CASE_FIXTURE(memory_world, "nodes are woken by a text that waits alone") {
    auto stream = must_start();
    (void)write("first");
    CHECK(wakes(stream) == 1);
    (void)write("second"); // nobody is at the first: whoever comes finds both
    CHECK(wakes(stream) == 0);
    CHECK(claim().size() == 2);
    (void)write("third");
    CHECK(wakes(stream) == 1);
  }

  TEST_CASE_FIXTURE(memory_world, "all pieces of a text are stored with its version") {
    const auto id = write("one|two and a half");
    CHECK(embed_all() == 1);
    CHECK(pieces_of(id) == "1:0-3 1:4-18");
    CHECK(waiting() == 0);
    CHECK(count_vectors(db, model, id) == std::size_t{2});
    CHECK(count_vectors(db, {}, id) == std::size_t{0});
    CHECK(text_of("select distinct user_id || ' ' || conversation_id || ' ' || role || "
                  "' ' || model_id from public.embeddings where message_id = $1",
                  {id.str()}) ==
          ada.str() + " " + room.str() + " user " + std::to_string(model.value));
    CHECK(text_of("select (embedding operator(extensions.<=>) $2::extensions.vector < "
                  "0.00001) from public.embeddings where message_id = $1 and chunk = 0",
                  {id.str(), [&] {
                     auto text = std::string{"["};
                     for (const auto value : letters->vector_of("one"))
                       text += std::to_string(value) + ",";
                     text.back() = ']';
                     return text;
                   }()}) == "t");
  }

  TEST_CASE_FIXTURE(memory_world, "a text without words ends without vectors") {
    const auto id = write("...");
    CHECK(embed_all() == 1);
    CHECK(rows_of(id) == 0);
    CHECK(waiting() == 0);
  }

  TEST_CASE_FIXTURE(memory_world, "two nodes never take the same text") {
    for (auto i = 0; i < 6; ++i)
      (void)write("text " + std::to_string(i));
    auto other = connection{database(), role::engine};
    const auto mine = claim(4);
    const auto theirs = claim_texts(other, wish(4));
    REQUIRE(theirs);
    CHECK(mine.size() == 4);
    CHECK(theirs->size() == 2);
    CHECK(claim().empty());
  }

  TEST_CASE_FIXTURE(memory_world, "of two answers for one text the first is stored") {
    const auto id = write("text");
    const auto mine = claim();
    admin("update jessica.unembedded set due_at = now()"); // my lease ran out
    const auto theirs = claim();
    REQUIRE(theirs.size() == 1);
    CHECK(theirs[0].attempt == 2);
    CHECK(store(theirs) == std::vector{true});
    CHECK(store(mine) == std::vector{false});
    CHECK(rows_of(id) == 1);
  }

  TEST_CASE_FIXTURE(memory_world, "an answer to an older text is dropped") {
    const auto id = write("old words");
    const auto stale = claim();
    edit(id, "new words");
    CHECK(store(stale) == std::vector{false});
    CHECK(rows_of(id) == 0);
    const auto fresh = claim();
    REQUIRE(fresh.size() == 1);
    CHECK(fresh[0].text == "new words");
    CHECK(fresh[0].version == 2);
    CHECK(store(fresh) == std::vector{true});
  }

  TEST_CASE_FIXTURE(memory_world, "a new text replaces the old one's vectors") {
    const auto id = write("one|two|three");
    CHECK(embed_all() == 1);
    edit(id, "four");
    CHECK(rows_of(id) == 3); // still found by what it was, for a moment
    CHECK(count_vectors(db, model, id) == std::size_t{0});
    CHECK(embed_all() == 1);
    CHECK(pieces_of(id) == "2:0-4");
  }

  TEST_CASE_FIXTURE(memory_world, "only another text is another version") {
    const auto id = write("words");
    admin("update public.messages set content = content, updated_at = now(), "
          "usage = '{}' where id = $1",
          {id.str()});
    CHECK(number_of("select version from public.messages where id = $1", {id.str()}) ==
          1);
    CHECK(embed_all() == 1);
    admin("update public.messages set updated_at = now() where id = $1", {id.str()});
    CHECK(waiting() == 0);
  }

  TEST_CASE_FIXTURE(memory_world, "vectors follow what they bear of their message") {
    const auto id = write("words");
    CHECK(embed_all() == 1);
    const auto elsewhere = add_conversation(ada);
    admin("update public.messages set conversation_id = $2, "
          "created_at = '2020-01-01T00:00:00Z' where id = $1",
          {id.str(), elsewhere.str()});
    CHECK(embed_all() == 1);
    CHECK(number_of("select count(*) from public.embeddings where message_id = $1 and "
                    "version = 2 and conversation_id = $2 and "
                    "said_at = '2020-01-01T00:00:00Z'",
                    {id.str(), elsewhere.str()}) == 1);
  }

  TEST_CASE_FIXTURE(memory_world, "a text that is emptied is not found any more") {
    const auto id = write("secret");
    CHECK(embed_all() == 1);
    edit(id, "");
    CHECK(rows_of(id) == 0);
    CHECK(waiting() == 0);
    edit(id, "public");
    CHECK(embed_all() == 1);
    CHECK(pieces_of(id) == "2:0-6");
  }

  TEST_CASE_FIXTURE(memory_world, "an edit that is not committed yet wins") {
    const auto id = write("old words");
    const auto taken = claim();
    {
      auto editing = open_transaction{
          "update public.messages set content = 'new' where id = '" + id.str() + "'"};
      CHECK(store(taken) == std::vector{false}); // and does not wait for it
      editing.run("commit");
    }
    CHECK(rows_of(id) == 0);
    const auto fresh = claim();
    REQUIRE(fresh.size() == 1);
    CHECK(fresh[0].text == "new");
  }

  TEST_CASE_FIXTURE(memory_world, "what is deleted meanwhile is not stored") {
    const auto id = write("short life");
    const auto other = write("long life");
    const auto taken = claim();
    {
      auto deleting =
          open_transaction{"delete from public.messages where id = '" + id.str() + "'"};
      CHECK(store(taken) == std::vector{false, true});
      deleting.run("commit");
    }
    CHECK(rows_of(id) == 0);
    CHECK(rows_of(other) == 1);
    CHECK(waiting() == 0);
  }

  TEST_CASE_FIXTURE(memory_world, "a deleted message takes vectors and work with it") {
    const auto embedded = write("embedded");
    CHECK(embed_all() == 1);
    (void)write("waiting");
    const auto taken = write("taken");
    (void)claim(1);
    admin("delete from auth.users where id = $1", {ada.str()});
    CHECK(rows_of(embedded) == 0);
    CHECK(rows_of(taken) == 0);
    CHECK(waiting() == 0);
  }

  TEST_CASE_FIXTURE(memory_world, "a failure waits longer each time, then is dead") {
    const auto id = write("difficult");
    auto pauses = std::vector<std::int64_t>{};
    for (auto attempt = 1; attempt <= 5; ++attempt) {
      const auto taken = claim();
      REQUIRE(taken.size() == 1);
      CHECK(taken[0].attempt == attempt);
      const auto what = failure_of(taken[0]);
      CHECK(fail_texts(db, {&what, 1}) == (attempt == 5 ? 1 : 0));
      CHECK(claim().empty());
      pauses.push_back(number_of(
          "select coalesce(max(round(extract(epoch from due_at - now()))), 0) "
          "from jessica.unembedded"));
      admin("update jessica.unembedded set due_at = now()");
    }
    CHECK(pauses[0] >= 1);
    CHECK(pauses[3] >= 8);
    CHECK(pauses[3] <= 16);
    CHECK(
        text_of("select kind || ' ' || status || ' ' || attempts || ' ' || last_error "
                "from public.inference_jobs where message_id = $1",
                {id.str()}) == "embedding dead 5 boom");
    CHECK(waiting() == 0);
  }

  TEST_CASE_FIXTURE(memory_world, "a failure that cannot pass is dead at once") {
    (void)write("poison");
    const auto taken = claim();
    const auto what = failure_of(taken[0], false);
    CHECK(fail_texts(db, {&what, 1}) == 1);
  }

  TEST_CASE_FIXTURE(memory_world, "a late failure does not touch a newer text") {
    const auto id = write("old");
    const auto taken = claim();
    edit(id, "new");
    const auto what = failure_of(taken[0], false);
    CHECK(fail_texts(db, {&what, 1}) == 0);
    CHECK(claim().size() == 1);
  }

  TEST_CASE_FIXTURE(memory_world, "a dead letter is tried again and ends as done") {
    const auto id = write("difficult");
    const auto taken = claim();
    const auto what = failure_of(taken[0], false);
    REQUIRE(fail_texts(db, {&what, 1}) == 1);
    const auto status = [&] {
      return text_of("select string_agg(status, ' ') from public.inference_jobs "
                     "where message_id = $1",
                     {id.str()});
    };
    CHECK(number_of("select jessica.retry_dead(array(select id from "
                    "public.inference_jobs where message_id = $1))",
                    {id.str()}) == 1);
    CHECK(status() == "queued");
    const auto again = claim();
    REQUIRE(again.size() == 1);
    const auto still = failure_of(again[0], false);
    REQUIRE(fail_texts(db, {&still, 1}) == 1);
    CHECK(status() == "dead"); // the same job
    admin("select jessica.retry_dead(array(select id from public.inference_jobs))");
    CHECK(embed_all() == 1);
    CHECK(status() == "done");
    CHECK(rows_of(id) == 1);
  }

  TEST_CASE_FIXTURE(memory_world, "a new text makes up for a dead one") {
    const auto id = write("difficult");
    const auto taken = claim();
    const auto what = failure_of(taken[0], false);
    REQUIRE(fail_texts(db, {&what, 1}) == 1);
    edit(id, "easy");
    CHECK(embed_all() == 1);
    CHECK(text_of("select status from public.inference_jobs where message_id = $1",
                  {id.str()}) == "done");
  }

  TEST_CASE_FIXTURE(memory_world, "an embedding job that somebody inserts is work") {
    const auto id = write("again, please");
    CHECK(embed_all() == 1);
    auto stream = must_start();
    admin("insert into public.inference_jobs (user_id, conversation_id, message_id, "
          "kind) values ($1, $2, $3, 'embedding')",
          {ada.str(), room.str(), id.str()});
    CHECK(wakes(stream) == 1);
    CHECK(number_of("select count(*) from jessica.ready") == 0);
    CHECK(embed_all() == 1);
    CHECK(rows_of(id) == 1);
    CHECK(text_of("select status from public.inference_jobs where message_id = $1",
                  {id.str()}) == "done");
  }

  TEST_CASE_FIXTURE(memory_world, "a released text is due again, without a strike") {
    (void)write("text");
    const auto taken = claim();
    REQUIRE(release_texts(db, taken, 0ms));
    const auto again = claim();
    REQUIRE(again.size() == 1);
    CHECK(again[0].attempt == 1);
    REQUIRE(release_texts(db, again, 60s));
    CHECK(claim().empty());
    CHECK(waiting() == 1);
  }

  TEST_CASE_FIXTURE(memory_world, "a node that dies loses nothing") {
    const auto lease = join_node(db, "node-1", 10s);
    (void)write("text");
    CHECK(claim().size() == 1);
    CHECK(claim().empty());
    CHECK(sweep(db));
    CHECK(claim().empty()); // the node lives
    admin("update jessica.nodes set until = now() - interval '1 s' where lease = $1",
          {std::to_string(lease->value)});
    CHECK(sweep(db));
    const auto again = claim();
    REQUIRE(again.size() == 1);
    CHECK(again[0].attempt == 2);
  }

  TEST_CASE_FIXTURE(memory_world, "a node that leaves holds no text any more") {
    const auto lease = join_node(db, "node-1", 10s);
    (void)write("text");
    const auto held = write("being changed");
    CHECK(claim().size() == 2);
    {
      auto changing =
          open_transaction{"select from jessica.unembedded where message_id = '" +
                           held.str() + "' for update"};
      CHECK(leave_node(db, *lease)); // and waits for nobody
    }
    const auto again = claim();
    REQUIRE(again.size() == 1);
    CHECK(again[0].text == "text");
  }

  TEST_CASE_FIXTURE(memory_world, "work of a newer text than is seen yet stays") {
    const auto id = write("old words");
    // As a claim finds it whose snapshot is older than the edit.
    admin("update jessica.unembedded set version = 2");
    CHECK(claim().empty());
    CHECK(waiting() == 1);
    edit(id, "new words");
    CHECK(claim().size() == 1);
    admin("update jessica.unembedded set version = 1, due_at = now()");
    CHECK(claim().empty()); // of an older one: nothing to do
    CHECK(waiting() == 0);
  }

  TEST_CASE_FIXTURE(memory_world, "long texts come in small batches") {
    (void)write(std::string(70'000, 'x'));
    for (auto i = 0; i < 3; ++i)
      (void)write(std::string(30'000, 'y'));
    CHECK(claim().size() == 1);
    CHECK(claim().size() == 2);
    const auto last = claim();
    REQUIRE(last.size() == 1);
    CHECK(last[0].attempt == 1);
  }

  TEST_CASE_FIXTURE(memory_world, "a text that was begun too often comes alone") {
    (void)write("deadly");
    for (auto i = 0; i < 4; ++i) {
      (void)write("harmless " + std::to_string(i));
      const auto taken = claim();
      CHECK(taken.size() == (i < 3 ? std::size_t(i) + 2 : 1));
      admin("update jessica.unembedded set due_at = now()");
    }
  }

  TEST_CASE_FIXTURE(memory_world, "one text out of turn") {
    (void)write("before");
    const auto id = write("now");
    const auto taken = take_text(db, wish(), id);
    REQUIRE(taken);
    REQUIRE(*taken);
    CHECK((*taken)->text == "now");
    CHECK(store({**taken}) == std::vector{true});
    CHECK(rows_of(id) == 1);
    const auto again = take_text(db, wish(), id); // embedded already: anew
    REQUIRE(again);
    REQUIRE(*again);
    CHECK(store({**again}) == std::vector{true});
    CHECK(rows_of(id) == 1);
    CHECK(waiting() == 1);
    CHECK_FALSE(take_text(db, wish(), message_id::make()).value());
    CHECK_FALSE(take_text(db, wish(), write("", "pending")).value());
  }

  TEST_CASE_FIXTURE(memory_world, "what is being embedded may be taken out of turn") {
    const auto id = write("text");
    const auto slow = claim();
    const auto quick = take_text(db, wish(), id);
    REQUIRE(quick);
    REQUIRE(*quick);
    CHECK(store({**quick}) == std::vector{true});
    CHECK(store(slow) == std::vector{false});
    CHECK(rows_of(id) == 1);
  }

  TEST_CASE_FIXTURE(memory_world, "the oldest that waits is known") {
    CHECK(count_waiting_texts(db)->waiting == 0);
    CHECK(count_waiting_texts(db)->oldest_seconds == 0);
    (void)write("text");
    admin("update jessica.unembedded set since = now() - interval '90 s'");
    const auto backlog = count_waiting_texts(db);
    REQUIRE(backlog);
    CHECK(backlog->waiting == 1);
    CHECK(backlog->oldest_seconds >= 90);
  }

  TEST_CASE_FIXTURE(memory_world, "who may see a message, by the policies") {
    const auto id = write("mine");
    auto requests = connection{database(), role::requests};
    CHECK(sees_message(requests, signed_in(ada), id) == true);
    CHECK(sees_message(requests, signed_in(add_user()), id) == false);
    CHECK(sees_message(requests, service(), id) == true);
  }

  TEST_CASE_FIXTURE(memory_world, "a place in the log is behind what was committed") {
    const auto before = log_position(db);
    (void)write("text");
    const auto after = log_position(db);
    REQUIRE(before);
    REQUIRE(after);
    CHECK(*before < *after);
  }
}

} // namespace jessica::storage
