// A user whose replies are limited, and what is held and counted for them.
#pragma once

#include "storage/chat.hpp"
#include "storage/jobs.hpp"
#include "storage/quota.hpp"
#include "tests/postgres/seed.hpp"
#include "wire/quota.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace jessica::test {

/// A user with a limit. Limits are looked at by every send of the database, so none
/// stays behind.
struct usage_world {
  storage::connection db{database(), storage::role::engine};
  user_id ada = add_user();
  conversation_id room = add_conversation(ada);

  usage_world() { empty_queue(); }
  ~usage_world() { admin("delete from public.usage_limits"); }
  usage_world(const usage_world&) = delete;
  usage_world& operator=(const usage_world&) = delete;

  static void limit(user_id user, const std::string& column, const std::string& most) {
    admin("insert into public.usage_limits (user_id, " + column + ") values ($1, $2)" +
              " on conflict (user_id) do update set " + column + " = excluded." +
              column,
          {user.str(), most});
  }

  [[nodiscard]] turn say(std::string params = "{}") const {
    return {ada, room, false, "hello", {}, std::move(params)};
  }
  [[nodiscard]] std::vector<result<receipt>> send(const std::vector<turn>& turns,
                                                  lease_id lease = {}) {
    auto stored = storage::enqueue(db, lease, turns);
    REQUIRE_MESSAGE(stored, (stored ? "" : stored.error().what));
    return std::move(*stored);
  }
  [[nodiscard]] receipt send_one(lease_id lease = {}, std::string params = "{}") {
    auto stored = send({say(std::move(params))}, lease);
    REQUIRE_MESSAGE(stored.front(),
                    (stored.front() ? "" : stored.front().error().what));
    return *stored.front();
  }
  /// The limit that refused one more send, or "sent".
  [[nodiscard]] std::string one_more() {
    const auto stored = send({say()});
    return stored.front() ? "sent" : refused_by(stored.front().error());
  }
  [[nodiscard]] static std::string refused_by(const error& why) {
    const auto told = wire::read_refusal(why);
    REQUIRE_MESSAGE(told, why.what);
    CHECK(why.reason == storage::quota_exceeded);
    return told->limit;
  }
  [[nodiscard]] lease_id join() {
    const auto lease = storage::join_node(db, "test", std::chrono::seconds{10});
    REQUIRE(lease);
    return *lease;
  }
  /// "replies tokens" that are held.
  [[nodiscard]] static std::string held_by(user_id user) {
    return text_of("select coalesce((select held_replies || ' ' || held_tokens "
                   "from jessica.quota where user_id = $1), 'none')",
                   {user.str()});
  }
  [[nodiscard]] std::string held() const { return held_by(ada); }
  /// What is held is what unfinished jobs hold, for everybody.
  static void check_books() {
    CHECK(number_of(R"(
      select count(*) from jessica.quota q left join (
        select user_id, count(*) n, sum(held_tokens) t, coalesce(sum(held_cost), 0) c
        from public.inference_jobs
        where held_tokens > 0 and status in ('queued', 'running') group by 1) j
      on j.user_id = q.user_id
      where (q.held_replies, q.held_tokens, q.held_cost)
        is distinct from (coalesce(j.n, 0), coalesce(j.t, 0), coalesce(j.c, 0)))") ==
          0);
  }
  [[nodiscard]] std::string used_by(user_id user) const {
    return text_of("select coalesce((select string_agg(concat_ws(' ', model, replies, "
                   "prompt_tokens, completion_tokens, estimated_tokens, cost), ', ' "
                   "order by model) from public.usage_daily where user_id = $1), "
                   "'none')",
                   {user.str()});
  }
  [[nodiscard]] std::string used() const { return used_by(ada); }
  void finish_one(lease_id lease, const receipt& what, usage used,
                  bool cancelled = false) {
    const auto end = outcome{.job = what.job,
                             .attempt = 1,
                             .cancelled = cancelled,
                             .content = "fine",
                             .used = used,
                             .model = "m",
                             .tools = {},
                             .finish_reason = cancelled ? "" : "length"};
    const auto kept = storage::finish(db, lease, {&end, 1});
    REQUIRE_MESSAGE(kept, (kept ? "" : kept.error().what));
    REQUIRE(kept->front());
    CHECK(*kept->front());
  }
};

inline constexpr auto cent = amount{10'000'000'000};

} // namespace jessica::test
