#include "tests/postgres/usage_world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <future>
#include <string>
#include <vector>

namespace jessica::storage {

using namespace test;

TEST_SUITE("storage.usage") {
  TEST_CASE_FIXTURE(usage_world, "without limits nothing is held, but all is counted") {
    const auto lease = join();
    const auto first = send_one(lease);
    const auto second = send_one(lease);
    CHECK(held() == "none");
    finish_one(lease, first, {5, 7, false, cent});
    finish_one(lease, second, {1, 2, true, {}});
    CHECK(held() == "none");
    CHECK(used() == "m 2 6 9 3 0.01");
    CHECK(text_of("select usage::text from public.messages where id = $1",
                  {first.reply.str()}) ==
          R"({"cost": 0.01, "estimated": false, "finish_reason": "length", )"
          R"("prompt_tokens": 5, "completion_tokens": 7})");
  }

  TEST_CASE_FIXTURE(usage_world, "a reply that is stored twice is counted once") {
    const auto lease = join();
    const auto made = send_one(lease);
    finish_one(lease, made, {5, 7, false});
    finish_one(lease, made, {5, 7, false});
    CHECK(used() == "m 1 5 7 0 0");
  }

  TEST_CASE_FIXTURE(usage_world,
                    "batches of the same users in any order do not deadlock") {
    auto users = std::vector<user_id>{};
    auto rooms = std::vector<conversation_id>{};
    for (auto n = 0; n < 8; ++n) {
      users.push_back(add_user());
      rooms.push_back(add_conversation(users.back()));
      limit(users.back(), "tokens_per_day", "100000000");
    }
    const auto lease = join();
    const auto work = [&](bool backwards) {
      auto line = connection{database(), role::engine};
      auto failed = 0;
      for (auto round = 0; round < 20; ++round) {
        auto turns = std::vector<turn>{};
        for (auto n = std::size_t{0}; n < users.size(); ++n)
          turns.push_back({users[n], rooms[n], false, "hi", {}, "{}"});
        if (backwards)
          std::ranges::reverse(turns);
        const auto made = enqueue(line, lease, turns);
        if (!made) {
          ++failed;
          continue;
        }
        auto ends = std::vector<outcome>{};
        for (const auto& one : *made)
          if (one)
            ends.push_back({.job = one->job,
                            .attempt = 1,
                            .cancelled = false,
                            .content = "x",
                            .used = {1, 1, false},
                            .model = "m"});
        failed += ends.size() == users.size() && finish(line, lease, ends) ? 0 : 1;
      }
      return failed;
    };
    auto one = std::async(std::launch::async, work, false);
    auto other = std::async(std::launch::async, work, true);
    CHECK(one.get() == 0);
    CHECK(other.get() == 0);
    for (const auto& user : users) {
      CHECK(held_by(user) == "0 0");
      CHECK(used_by(user) == "m 40 40 40 0 0");
    }
  }

  TEST_CASE_FIXTURE(usage_world, "every end of a job lets go of what it held, once") {
    limit(ada, "replies_per_day", "100");
    const auto lease = join();

    finish_one(lease, send_one(lease), {1, 1, false});
    CHECK(held() == "0 0");

    finish_one(lease, send_one(lease), {1, 1, true}, true);
    CHECK(held() == "0 0");

    const auto dead = failure{send_one(lease).job, "boom", false};
    REQUIRE(fail_jobs(db, lease, {&dead, 1}));
    CHECK(held() == "0 0");

    auto as_client = connection{database(), role::requests};
    const auto queued = send_one();
    CHECK(held() != "0 0");
    REQUIRE(stop_reply(as_client, signed_in(ada), queued.reply));
    CHECK(held() == "0 0");
    REQUIRE(stop_reply(as_client, signed_in(ada), queued.reply));
    CHECK(held() == "0 0");

    const auto message = send_one();
    admin("delete from public.messages where id = $1", {message.message.str()});
    CHECK(held() == "0 0");

    (void)send_one(lease);
    (void)send_one();
    CHECK(held().starts_with("2 "));
    admin("delete from public.conversations where id = $1", {room.str()});
    CHECK(held() == "0 0");
    admin("delete from public.inference_jobs where user_id = $1", {ada.str()});
    admin("select jessica.purge_jobs('0 s')");
    CHECK(held() == "0 0");
    CHECK(used() == "m 2 2 2 2 0"); // deletions lower nothing
    check_books();

    admin("delete from auth.users where id = $1", {ada.str()});
    CHECK(held() == "none");
    CHECK(used() == "none");
  }

  TEST_CASE_FIXTURE(usage_world, "a job that is tried again keeps what it holds") {
    limit(ada, "replies_per_day", "100");
    auto lease = join();
    const auto made = send_one(lease);
    const auto before = held();
    CHECK(before.starts_with("1 "));

    const auto first = failure{.job = made.job,
                               .what = "x",
                               .retryable = true,
                               .used = {3, 4, true},
                               .model = "m"};
    REQUIRE(fail_jobs(db, lease, {&first, 1}));
    CHECK(held() == before);
    CHECK(used() == "m 0 3 4 7 0"); // paid for, but no reply

    admin("update jessica.ready set run_at = now()");
    REQUIRE(claim(db, lease, {1, 1, {}}));
    admin("update jessica.nodes set until = now() - interval '1 s'");
    REQUIRE(sweep(db));
    CHECK(held() == before); // its node died

    lease = join();
    REQUIRE(claim(db, lease, {1, 1, {}}));
    const auto last = failure{made.job, "x", false};
    REQUIRE(fail_jobs(db, lease, {&last, 1}));
    CHECK(held() == "0 0");

    admin("select jessica.retry_dead(array[$1::bigint])",
          {std::to_string(made.job.value)});
    REQUIRE(claim(db, lease, {1, 1, {}}));
    REQUIRE(fail_jobs(db, lease, {&last, 1}));
    CHECK(held() == "0 0"); // an operator's retry holds nothing
    check_books();
  }

  TEST_CASE_FIXTURE(usage_world, "what a killed node's attempt used is counted") {
    limit(ada, "replies_per_day", "100");
    const auto lease = join();
    const auto made = send_one(lease);
    const auto before = held();
    const auto far = checkpoint{made.job, 1, "half", {3, 4, true, cent}, "m"};
    REQUIRE(save(db, lease, {&far, 1}));
    SUBCASE("when its lease is swept") {
      admin("update jessica.nodes set until = now() - interval '1 s'");
      REQUIRE(sweep(db));
    }
    SUBCASE("when it says goodbye") {
      REQUIRE(leave_node(db, lease));
    }
    SUBCASE("when INFERENCE died") {
      const auto why = failure{made.job, "internal error", true};
      REQUIRE(fail_jobs(db, lease, {&why, 1}));
    }
    CHECK(used() == "m 0 3 4 7 0.01");
    CHECK(held() == before);
    // What comes late counts what the checkpoint did not know.
    auto late = spending{
        .user = ada, .model = "m", .used = {3, 9, true, amount{2 * cent.picos}}};
    late.job = made.job;
    late.saved = far.used;
    REQUIRE(spend(db, late));
    CHECK(used() == "m 0 3 9 12 0.02");
    // The next attempt dies before it says anything: nothing is counted twice.
    const auto next = join();
    admin("update jessica.ready set run_at = now()");
    REQUIRE(claim(db, next, {1, 1, {}})->jobs.size() == 1);
    admin("update jessica.nodes set until = now() - interval '1 s'");
    REQUIRE(sweep(db));
    CHECK(used() == "m 0 3 9 12 0.02");
    // A job that is gone is counted by nobody else.
    admin("delete from public.conversations where id = $1", {room.str()});
    REQUIRE(spend(db, late));
    CHECK(used() == "m 1 6 18 24 0.04");
    check_books();
  }

  TEST_CASE_FIXTURE(usage_world, "a reply that can never be stored is counted once") {
    const auto lease = join();
    const auto made = send_one(lease);
    const auto far = checkpoint{made.job, 1, "half", {3, 4, true}, "m"};
    REQUIRE(save(db, lease, {&far, 1}));
    const auto end = outcome{.job = made.job,
                             .attempt = 1,
                             .cancelled = false,
                             .content = std::string{"zero\0byte", 9},
                             .used = {5, 6, true},
                             .model = "m",
                             .tools = {},
                             .finish_reason = "stop"};
    const auto kept = finish(db, lease, {&end, 1});
    REQUIRE(kept);
    CHECK(kept->front() == false);
    auto rest = spending{.user = ada, .model = "m", .used = end.used};
    rest.job = made.job;
    rest.saved = far.used;
    REQUIRE(spend(db, rest)); // as INFERENCE does
    CHECK(used() == "m 0 5 6 11 0");
  }

  TEST_CASE_FIXTURE(usage_world, "a failed attempt counts what it says, once") {
    const auto lease = join();
    const auto made = send_one(lease);
    const auto far = checkpoint{made.job, 1, "half", {3, 4, true}, "m"};
    REQUIRE(save(db, lease, {&far, 1}));
    const auto why = failure{.job = made.job,
                             .what = "x",
                             .retryable = true,
                             .used = {5, 6, true},
                             .model = "m"};
    REQUIRE(fail_jobs(db, lease, {&why, 1}));
    CHECK(used() == "m 0 5 6 11 0");
  }

  TEST_CASE_FIXTURE(usage_world, "a reply holds its prompt and what it may be long") {
    limit(ada, "tokens_per_day", "1000000");
    (void)send_one({}, R"({"max_tokens": 100})");
    CHECK(held() == "1 101"); // "hello" is a token
    (void)send_one();
    CHECK(held() == "2 2103"); // and again, with what was said before
    (void)send_one({}, R"({"max_tokens": -5})");
    CHECK(number_of("select held_tokens from public.inference_jobs where user_id = $1 "
                    "order by id desc limit 1",
                    {ada.str()}) == 4);
  }

  TEST_CASE_FIXTURE(usage_world,
                    "costs are held at the dearest price and counted as told") {
    auto in = config::quota_settings{};
    in.prices = {{"small", 1'000'000, 2'000'000}, {"large", 10'000'000, 20'000'000}};
    in.reserve_tokens = 1000;
    REQUIRE(configure_quota(db, in));
    CHECK(number_of("select count(*) from public.usage_limits") == 0);
    limit(ada, "cost_per_day", "0.05");
    const auto lease = join();
    const auto first = send_one(lease);
    CHECK(text_of("select held_cost::float8::text from jessica.quota "
                  "where user_id = $1",
                  {ada.str()}) == "0.02001");
    (void)send_one(lease);
    CHECK(one_more() == "cost_per_day");
    finish_one(lease, first, {1, 1, false, amount{3'000'000}});
    CHECK(used() == "m 1 1 1 0 0.000003");
    CHECK(one_more() == "sent");
    check_books();
    REQUIRE(configure_quota(db, {}));
  }

  TEST_CASE_FIXTURE(usage_world, "jobs that come another way are held as well") {
    limit(ada, "replies_per_day", "2");
    auto as_client = connection{database(), role::requests};
    const auto answers = enqueue_as_authors(as_client, std::array{say(), say(), say()});
    REQUIRE(answers);
    CHECK(answers->at(0));
    CHECK(answers->at(1));
    REQUIRE_FALSE(answers->at(2));
    CHECK(refused_by(answers->at(2).error()) == "replies_per_day");
    CHECK(held().starts_with("2 "));
    const auto inserted = connection{database(), role::migrations}.run(
        {"insert into public.inference_jobs (user_id, conversation_id, message_id) "
         "select user_id, conversation_id, id from public.messages "
         "where user_id = $1 limit 1",
         {ada.str()}});
    REQUIRE_FALSE(inserted);
    const auto over = as_quota_fault(inserted.error());
    REQUIRE(over);
    CHECK(refused_by(*over) == "replies_per_day");
    check_books();
  }

  TEST_CASE_FIXTURE(usage_world, "a request that is no job holds, spends and lets go") {
    const auto free = hold_quota(db, {ada, 10, {}});
    REQUIRE(free);
    CHECK(free->id == 0);
    limit(ada, "replies_per_day", "1");
    const auto held_now = hold_quota(db, {ada, 10, 90});
    REQUIRE(held_now);
    CHECK(held_now->id > 0);
    CHECK(held() == "1 100");
    const auto refused = hold_quota(db, {ada, 10, 90});
    REQUIRE_FALSE(refused);
    CHECK(refused_by(refused.error()) == "replies_per_day");
    CHECK(one_more() == "replies_per_day");
    auto spent = spending{ada, "v1", {4, 5, false, cent}, 1, *held_now, {}};
    REQUIRE(spend(db, spent));
    CHECK(held() == "0 0");
    CHECK(used() == "v1 1 4 5 0 0.01");
    spent.user = user_id::make(); // deleted meanwhile: neither counted nor an error
    CHECK(spend(db, spent));
    CHECK(held() == "0 0");
  }

  TEST_CASE_FIXTURE(usage_world, "many requests are counted at once, in any order") {
    const auto eve = add_user();
    limit(ada, "replies_per_day", "9");
    const auto one = hold_quota(db, {ada, 10, 90});
    const auto other = hold_quota(db, {ada, 10, 90});
    REQUIRE(one);
    REQUIRE(other);
    CHECK(held() == "2 200");
    const auto all = std::array{
        spending{eve, "v1", {1, 1, false, cent}, 1, {}, {}},
        spending{ada, "v1", {4, 5, false, cent}, 1, *other, {}},
        spending{
            user_id::make(), "v1", {7, 7, false, {}}, 1, {}, {}}, // deleted meanwhile
        spending{ada, "v1", {4, 5, true, {}}, 0, *one, {}}};
    const auto told = spend_all(db, all);
    REQUIRE(told);
    CHECK(*told);
    CHECK(held() == "0 0");
    CHECK(used() == "v1 1 8 10 9 0.01");
    CHECK(spend_all(db, {}));
    admin("delete from public.usage_limits");
    const auto free = spend_all(db, {});
    REQUIRE(free);
    CHECK_FALSE(*free);
  }

  TEST_CASE_FIXTURE(usage_world, "a hold whose node died is swept") {
    limit(ada, "replies_per_day", "1");
    REQUIRE(hold_quota(db, {ada, 10, 90}));
    REQUIRE(sweep(db));
    CHECK(held() == "1 100");
    admin("update jessica.holds set until = now() - interval '1 s'");
    REQUIRE(sweep(db));
    CHECK(held() == "0 0");
  }

  TEST_CASE_FIXTURE(usage_world,
                    "a lost job's reply is counted only when the job is gone") {
    const auto made = send_one();
    auto spent = spending{.user = ada, .model = "m", .used = {1, 1, true}};
    spent.job = made.job;
    REQUIRE(spend(db, spent));
    CHECK(used() == "m 0 1 1 2 0");
    admin("delete from public.conversations where id = $1", {room.str()});
    REQUIRE(spend(db, spent));
    CHECK(used() == "m 1 2 2 4 0");
  }
}

} // namespace jessica::storage
