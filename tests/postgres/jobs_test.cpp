#include "storage/chat.hpp"
#include "storage/jobs.hpp"
#include "tests/postgres/seed.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace jessica::storage {
namespace {

using namespace test;
using namespace std::chrono_literals;

struct jobs_world {
  connection db{database(), role::engine};
  user_id ada = add_user();
  conversation_id room = add_conversation(ada);

  jobs_world() { empty_queue(); }

  [[nodiscard]] receipt send(lease_id lease = {}) {
    const auto what = turn{ada, room, false, "hi", {}, R"({"n": 1})"};
    auto stored = enqueue(db, lease, {&what, 1});
    REQUIRE(stored);
    REQUIRE(stored->front());
    return *stored->front();
  }
  [[nodiscard]] lease_id join() {
    const auto lease = join_node(db, "test", 10s);
    REQUIRE(lease);
    return *lease;
  }
  [[nodiscard]] std::vector<job> take(lease_id lease, std::size_t want = 10) {
    auto claimed = claim(db, lease, {want, want, {}});
    REQUIRE(claimed);
    return std::move(claimed->jobs);
  }
  [[nodiscard]] job_status fail_one(lease_id lease, job_id id, bool retryable) {
    const auto what = failure{id, "boom", retryable};
    const auto statuses = fail_jobs(db, lease, {&what, 1});
    REQUIRE(statuses);
    return statuses->front();
  }
  void make_due() { admin("update jessica.ready set run_at = now()"); }
  void expire(lease_id lease) {
    admin("update jessica.nodes set until = now() - interval '1 s' where lease = $1",
          {std::to_string(lease.value)});
  }
};

[[nodiscard]] parameter text(job_id id) {
  return std::to_string(id.value);
}

} // namespace

TEST_SUITE("storage.jobs") {
  TEST_CASE_FIXTURE(jobs_world,
                    "a node joins under a new lease each time and renews it") {
    const auto first = join();
    const auto second = join();
    CHECK(first != second);
    admin("update jessica.nodes set until = now() where lease = $1",
          {std::to_string(first.value)});
    CHECK(renew(db, first, 7s) == true);
    CHECK(number_of("select round(extract(epoch from until - now()))::int "
                    "from jessica.nodes where lease = $1",
                    {std::to_string(first.value)}) == 7);
  }

  TEST_CASE_FIXTURE(jobs_world, "a lease that is gone is not renewed") {
    CHECK(renew(db, {-1}, 10s) == false);
    const auto lease = join();
    expire(lease);
    CHECK(sweep(db) == 0);
    CHECK(renew(db, lease, 10s) == false);
  }

  TEST_CASE_FIXTURE(jobs_world, "a claim takes what is ready, oldest first, once") {
    const auto first = send();
    const auto second = send();
    const auto third = send();
    const auto lease = join();
    const auto jobs = take(lease, 2);
    REQUIRE(jobs.size() == 2);
    CHECK(std::min(jobs[0].id, jobs[1].id) == first.job);
    CHECK(std::max(jobs[0].id, jobs[1].id) == second.job);
    const auto rest = take(join());
    REQUIRE(rest.size() == 1);
    CHECK(rest[0].id == third.job);
    CHECK(rest[0].attempt == 1);
    CHECK(rest[0].user == ada);
    CHECK(rest[0].conversation == room);
    CHECK(rest[0].message == third.message);
    CHECK(rest[0].reply == third.reply);
    CHECK(rest[0].params == R"({"n": 1})");
    CHECK_FALSE(rest[0].cancelled);
    CHECK(take(lease).empty());
  }

  TEST_CASE_FIXTURE(jobs_world, "without a live lease nothing is claimed") {
    (void)send();
    CHECK(take({0}).empty());
    CHECK(take({-1}).empty());
    CHECK(take(join(), 0).empty());
    CHECK(take(join()).size() == 1);
  }

  TEST_CASE_FIXTURE(jobs_world, "a job cancelled before its claim ends at once") {
    const auto made = send();
    admin("update public.inference_jobs set cancel_requested = true where id = $1",
          {text(made.job)});
    CHECK(take(join()).empty());
    CHECK(text_of("select status from public.messages where id = $1",
                  {made.reply.str()}) == "cancelled");
  }

  TEST_CASE_FIXTURE(jobs_world,
                    "users take turns in a claim, and some can be skipped") {
    const auto bob = add_user();
    const auto other_room = add_conversation(bob);
    for (auto n = 0; n < 6; ++n)
      (void)send();
    const auto what = turn{bob, other_room, false, "hi", {}, "{}"};
    REQUIRE(enqueue(db, {}, {&what, 1}));
    const auto lease = join();
    const auto both = claim(db, lease, {4, 3, {}});
    REQUIRE(both);
    CHECK(std::ranges::count(both->jobs, bob, &job::user) == 1);
    CHECK(std::ranges::count(both->jobs, ada, &job::user) == 3);
    CHECK(both->next_due == 0ms); // it got all it wanted: there may be more
    const auto none = claim(db, lease, {4, 3, {ada}});
    REQUIRE(none);
    CHECK(none->jobs.empty());
    CHECK_FALSE(none->next_due);
    const auto rest = claim(db, lease, {4, 4, {bob}});
    REQUIRE(rest);
    CHECK(rest->jobs.size() == 3);
    CHECK_FALSE(rest->next_due);
  }

  TEST_CASE_FIXTURE(jobs_world, "a claim says when the next job is due") {
    const auto lease = join();
    const auto made = send(lease);
    CHECK(fail_one(lease, made.job, true) == job_status::queued);
    const auto later = claim(db, lease, {4, 4, {}});
    REQUIRE(later);
    REQUIRE(later->next_due);
    CHECK(*later->next_due > 0ms);
    CHECK(*later->next_due <= 2s);
    make_due();
    CHECK(claim(db, lease, {4, 4, {}})->jobs.size() == 1);
  }

  TEST_CASE_FIXTURE(jobs_world, "a node can look at what it holds and give some back") {
    const auto lease = join();
    const auto kept = send(lease);
    const auto stray = send(lease);
    (void)send(join());
    auto held = held_jobs(db, lease);
    REQUIRE(held);
    std::ranges::sort(*held, {}, &job_id::value);
    CHECK(*held == std::vector{kept.job, stray.job});
    CHECK(hand_back(db, lease, std::array{stray.job, job_id{-1}}) == 1);
    CHECK(held_jobs(db, lease) == std::vector{kept.job});
    const auto again = take(join());
    REQUIRE(again.size() == 1);
    CHECK(again[0].id == stray.job);
    CHECK(again[0].attempt == 2);
  }

  TEST_CASE_FIXTURE(jobs_world, "embedding jobs are not ours to claim") {
    const auto made = send(join());
    admin("insert into public.inference_jobs (user_id, conversation_id, message_id, "
          "kind) "
          "values ($1, $2, $3, 'embedding')",
          {ada.str(), room.str(), made.message.str()});
    CHECK(take(join()).empty());
  }

  TEST_CASE_FIXTURE(jobs_world,
                    "leaving queues the jobs at once under a new attempt number") {
    const auto lease = join();
    const auto made = send(lease);
    CHECK(leave_node(db, lease));
    CHECK(renew(db, lease, 10s) == false);
    const auto jobs = take(join());
    REQUIRE(jobs.size() == 1);
    CHECK(jobs[0].id == made.job);
    CHECK(jobs[0].attempt == 2);
    CHECK(leave_node(db, lease)); // leaving twice harms nothing
  }

  TEST_CASE_FIXTURE(jobs_world,
                    "a dead node's jobs come back at once, without a strike") {
    const auto lease = join();
    const auto made = send(lease);
    const auto alive = send(join());
    expire(lease);
    CHECK(sweep(db) == 1);
    CHECK(sweep(db) == 0);
    const auto jobs = take(join()); // at once: the job is not at fault
    REQUIRE(jobs.size() == 1);
    CHECK(jobs[0].id == made.job);
    CHECK(jobs[0].attempt == 2);
    CHECK(number_of("select max_attempts from public.inference_jobs where id = $1",
                    {text(made.job)}) == 6);
    CHECK(number_of("select count(*) from jessica.running where id = $1",
                    {text(alive.job)}) == 1);
  }

  TEST_CASE_FIXTURE(jobs_world,
                    "a job that takes node after node down is dead in the end") {
    const auto made = send();
    for (auto attempt = 1; attempt <= 25; ++attempt) {
      const auto lease = join();
      REQUIRE(take(lease).size() == 1);
      expire(lease);
      REQUIRE(sweep(db) == 1);
    }
    CHECK(take(join()).empty());
    CHECK(text_of("select status from public.messages where id = $1",
                  {made.reply.str()}) == "error");
  }

  TEST_CASE_FIXTURE(jobs_world,
                    "a failed job backs off longer each time, then is dead") {
    const auto made = send();
    for (auto attempt = 1; attempt < 5; ++attempt) {
      const auto lease = join();
      const auto jobs = take(lease);
      REQUIRE(jobs.size() == 1);
      CHECK(jobs[0].attempt == attempt);
      CHECK(fail_one(lease, made.job, true) == job_status::queued);
      // at least half of 2^attempt seconds, less what the statement itself takes
      CHECK(
          number_of("select (run_at > now() + interval '1 s' * (2 ^ $2::int / 2 - 0.5)"
                    " and run_at <= now() + interval '1 s' * 2 ^ $2::int)::int "
                    "from jessica.ready where id = $1",
                    {text(made.job), std::to_string(attempt)}) == 1);
      make_due();
    }
    const auto lease = join();
    REQUIRE(take(lease).size() == 1);
    CHECK(fail_one(lease, made.job, true) == job_status::dead);
    CHECK(take(join()).empty());
    CHECK(text_of("select status from public.messages where id = $1",
                  {made.reply.str()}) == "error");
    CHECK(text_of("select error ->> 'message' from public.messages where id = $1",
                  {made.reply.str()}) == "boom");
  }

  TEST_CASE_FIXTURE(jobs_world, "what cannot be retried is dead at once, text kept") {
    const auto lease = join();
    const auto made = send(lease);
    REQUIRE(save(db, lease, std::array{checkpoint{made.job, 1, "half"}}));
    CHECK(fail_one(lease, made.job, false) == job_status::dead);
    CHECK(text_of("select content from public.messages where id = $1",
                  {made.reply.str()}) == "half");
  }

  TEST_CASE_FIXTURE(jobs_world,
                    "failures are answered in order, foreign ones as lost") {
    const auto lease = join();
    const auto retried = send(lease);
    const auto dead = send(lease);
    const auto cancelled = send(lease);
    const auto foreign = send(join());
    admin("update public.inference_jobs set cancel_requested = true where id = $1",
          {text(cancelled.job)});
    const auto failures =
        std::array{failure{foreign.job, "x", true}, failure{dead.job, "x", false},
                   failure{{-1}, "x", true}, failure{cancelled.job, "x", true},
                   failure{retried.job, "x, \"y\"", true}};
    const auto statuses = fail_jobs(db, lease, failures);
    REQUIRE(statuses);
    CHECK(*statuses == std::vector{job_status::lost, job_status::dead, job_status::lost,
                                   job_status::cancelled, job_status::queued});
    CHECK(text_of("select status from public.messages where id = $1",
                  {foreign.reply.str()}) == "pending");
    CHECK(fail_jobs(db, lease, {})->empty());
  }

  TEST_CASE_FIXTURE(jobs_world, "no other role reaches the queue") {
    auto requests = connection{database(), role::requests};
    const auto swept = sweep(requests);
    REQUIRE_FALSE(swept);
    CHECK(swept.error().code == errc::forbidden);
  }
}

} // namespace jessica::storage
