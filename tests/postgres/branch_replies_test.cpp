#include "tests/postgres/branches_world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

namespace jessica::storage {
namespace {

using test::admin;
using test::branches_world;
using test::number_of;
using test::text_of;
using namespace std::chrono_literals;
using strings = std::vector<std::string>;

/// With a node that takes the jobs.
struct reply_world : branches_world {
  lease_id lease = [this] {
    const auto joined = join_node(engine, "test", 30s);
    REQUIRE(joined);
    return *joined;
  }();

  /// The job of this receipt, claimed; those before it are done with.
  job claimed(const receipt& what) {
    const auto all = claim(engine, lease, {100, 100, {}});
    REQUIRE(all);
    const auto found = std::ranges::find(all->jobs, what.job, &job::id);
    REQUIRE(found != all->jobs.end());
    return *found;
  }
  void end(const job& what, std::string text, bool cancelled = false) {
    const auto ended = outcome{what.id,         what.attempt,       cancelled,
                               std::move(text), usage{10, 5, true}, "tiny"};
    const auto stored = finish(engine, lease, {&ended, 1});
    REQUIRE(stored);
    REQUIRE(stored->front().value_or(false));
  }
  receipt go_on(message_id reply, std::optional<std::string> params = {}) {
    const auto made = change(continue_wish{reply, std::move(params)});
    REQUIRE_MESSAGE(made, made.error().what);
    return *made;
  }
  /// A reply that its user stopped in the middle.
  receipt stopped(const std::string& text) {
    const auto what = turn{ada, room, false, "tell me", {}, R"({"temperature": 1})"};
    const auto stored = enqueue(engine, {}, {&what, 1});
    REQUIRE(stored);
    end(claimed(*stored->front()), text, true);
    return *stored->front();
  }
};

} // namespace

TEST_SUITE("storage.branch_replies") {
  TEST_CASE_FIXTURE(branches_world, "a reply has versions, each with what follows it") {
    const auto one = say("one");
    say("two");
    const auto other = again(one.reply, "anders");
    CHECK(other.message == one.message);
    CHECK(other.reply != one.reply);
    CHECK(path() == "one, anders 2/2");
    again(other.reply, "autrement");
    CHECK(path() == "one, autrement 3/3");
    say("three");
    CHECK(path() == "one, autrement 3/3, three, re: three");
    select(one.reply);
    CHECK(path() == "one, re: one 1/3, two, re: two");
    select(other.reply);
    CHECK(path() == "one, anders 2/3");
  }

  TEST_CASE_FIXTURE(reply_world, "another reply is asked for with the same params") {
    const auto first = stopped("half");
    const auto params = [](const receipt& of) {
      return text_of("select params from public.inference_jobs where id = $1",
                     {std::to_string(of.job.value)});
    };
    CHECK(params(again(first.reply, "x")) == R"({"temperature": 1})");
    const auto other = change(regenerate_wish{first.reply, R"({"model": "m"})"});
    REQUIRE(other);
    CHECK(params(*other) == R"({"model": "m"})");
    CHECK(claimed(*other).kept == 0);
  }

  TEST_CASE_FIXTURE(reply_world, "a reply goes on with its text, counting on") {
    const auto first = stopped("half \xf0\x9f\x98\x80 of ");
    const auto more = go_on(first.reply);
    CHECK(more.reply == first.reply);
    CHECK(more.message == first.message);
    CHECK(more.job != first.job);
    CHECK(of(first.reply, "status || ' ' || content") ==
          "pending half \xf0\x9f\x98\x80 of ");
    const auto job = claimed(more);
    CHECK(job.attempt == 2);
    CHECK(job.kept == 10); // characters
    CHECK(job.params == R"({"temperature": 1})");
    const auto asked =
        load_prompt(db, ada, room, job.message, {20}, {job.reply, job.kept});
    REQUIRE(asked);
    CHECK(asked->so_far == "half \xf0\x9f\x98\x80 of ");
    CHECK(asked->turns.back().content == "tell me");
    end(job, "half \xf0\x9f\x98\x80 of it");
    CHECK(of(first.reply, "status || ' ' || content") ==
          "complete half \xf0\x9f\x98\x80 of it");
    CHECK(of(first.reply, "usage ->> 'prompt_tokens'") == "20");
    CHECK(of(first.reply, "usage ->> 'completion_tokens'") == "10");
    CHECK(of(first.reply, "usage ->> 'estimated'") == "true");
    // And again, though it is complete.
    CHECK(claimed(go_on(first.reply, R"({"model":"m"})")).attempt == 3);
  }

  TEST_CASE_FIXTURE(reply_world, "an attempt that is lost begins where it began") {
    const auto first = stopped("half of ");
    const auto job = claimed(go_on(first.reply));
    const auto far = checkpoint{job.id, job.attempt, "half of something"};
    REQUIRE(save(engine, lease, {&far, 1}));
    const auto why = failure{job.id, "boom", true};
    REQUIRE(fail_jobs(engine, lease, {&why, 1}));
    admin("update jessica.ready set run_at = now() - interval '1 s'");
    admin("update public.inference_jobs j set run_at = r.run_at from jessica.ready r "
          "where r.id = j.id");
    auto next = claim(engine, lease, {10, 10, {}});
    REQUIRE(next);
    REQUIRE(next->jobs.size() == 1);
    CHECK(next->jobs[0].attempt == 3);
    CHECK(next->jobs[0].kept == 8);
    // The last one dies: what there was at the checkpoint stays.
    const auto last = failure{job.id, "boom", false};
    REQUIRE(fail_jobs(engine, lease, {&last, 1}));
    CHECK(of(first.reply, "status || ' ' || content") == "error half of something");
    // From there it goes on.
    CHECK(claimed(go_on(first.reply)).kept == 17);
    CHECK(of(first.reply, "coalesce(error::text, 'none')") == "none");
  }

  TEST_CASE_FIXTURE(reply_world, "a stop before the text is read takes none away") {
    const auto first = stopped("half of ");
    SUBCASE("while it waits") {
      const auto more = go_on(first.reply);
      REQUIRE(as_user("select public.cancel_inference($1)",
                      {std::to_string(more.job.value)}));
    }
    SUBCASE("on a node") {
      end(claimed(go_on(first.reply)), "", true);
    }
    CHECK(of(first.reply, "status || ' ' || content") == "cancelled half of ");
  }

  TEST_CASE_FIXTURE(reply_world, "a reply that is still written cannot go on") {
    const auto first = stopped("half of ");
    go_on(first.reply);
    CHECK(refusal(continue_wish{first.reply, {}}) == "conflict reply_running");
  }

  TEST_CASE_FIXTURE(reply_world, "a reply that never ran counts from the second") {
    const auto what = turn{ada, room, false, "tell me", {}, "{}"};
    const auto sent = enqueue(engine, {}, {&what, 1});
    REQUIRE(sent);
    REQUIRE(as_user("select public.cancel_inference($1)",
                    {std::to_string(sent->front()->job.value)}));
    const auto job = claimed(go_on(sent->front()->reply));
    CHECK(job.attempt == 2);
    CHECK(job.kept == 0);
  }

  TEST_CASE_FIXTURE(reply_world, "attempts of purged jobs are not counted again") {
    const auto first = stopped("half of ");
    admin("delete from public.inference_jobs where id = $1",
          {std::to_string(first.job.value)});
    const auto job = claimed(go_on(first.reply));
    CHECK(job.attempt > 500);
    CHECK(job.params == "{}");
  }

  TEST_CASE_FIXTURE(reply_world, "what others answered is not remembered") {
    const auto one = say("one");
    const auto two = say("two");
    const auto set_aside = [&](message_id question, const kept_text& kept = {}) {
      const auto read = load_prompt(db, ada, room, question, {20}, kept);
      REQUIRE(read);
      return read->set_aside;
    };
    CHECK(set_aside(two.message).empty());
    CHECK(set_aside(one.message, {one.reply, 3}) ==
          std::vector{one.reply, two.message, two.reply});
    const auto deux = edit(two.message, "deux");
    CHECK(set_aside(deux.message) == std::vector{two.message, two.reply, deux.reply});
    CHECK(prompt_of(deux.message) == strings{"one", "re: one", "deux"});
  }
}

} // namespace jessica::storage
