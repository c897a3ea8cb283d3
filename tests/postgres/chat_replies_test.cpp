#include "tests/postgres/chat_world.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <future>
#include <span>
#include <string>
#include <vector>

namespace jessica::storage {
namespace {

using namespace test;
using namespace std::chrono_literals;

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

TEST_SUITE("storage.chat_replies") {
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
