#include "tests/postgres/usage_world.hpp"

#include <doctest/doctest.h>

#include <future>
#include <vector>

namespace jessica::storage {

using namespace test;

TEST_SUITE("storage.usage_limits") {
  TEST_CASE_FIXTURE(usage_world,
                    "the last reply of a day is sent, one more is refused") {
    limit(ada, "replies_per_day", "2");
    const auto lease = join();
    const auto first = send_one(lease);
    (void)send_one(lease);
    CHECK(one_more() == "replies_per_day");
    finish_one(lease, first, {1, 1, false});
    CHECK(one_more() == "replies_per_day"); // used, instead of held
    CHECK(held().starts_with("1 "));
    CHECK(number_of("select count(*) from public.messages where user_id = $1",
                    {ada.str()}) == 4);
    check_books();
  }

  TEST_CASE_FIXTURE(usage_world, "a refusal says which limit and when it resets") {
    limit(ada, "tokens_per_day", "3000");
    const auto lease = join();
    finish_one(lease, send_one(lease), {1500, 1000, false});
    const auto refused = send({say()});
    REQUIRE_FALSE(refused.front());
    CHECK(refused.front().error().code == errc::overloaded);
    const auto told = wire::read_refusal(refused.front().error());
    REQUIRE(told);
    CHECK(told->limit == "tokens_per_day");
    CHECK(told->body.contains(R"("limit_value": 3000)"));
    CHECK(told->body.contains(R"("used": 2500)"));
    CHECK(told->body.contains(R"(T00:00:00Z")"));
    const auto seconds = std::stoll(told->retry_after);
    CHECK(seconds >= 1);
    CHECK(seconds <= 86'400);
  }

  TEST_CASE_FIXTURE(usage_world, "turns of one batch add up, and refuse no other's") {
    const auto bob = add_user();
    const auto his = add_conversation(bob);
    limit(ada, "replies_per_day", "2");
    const auto answers = send({say(), turn{bob, his, false, "x", {}, "{}"}, say(),
                               say(), turn{bob, his, false, "y", {}, "{}"}});
    CHECK(answers[0]);
    CHECK(answers[1]);
    CHECK(answers[2]);
    REQUIRE_FALSE(answers[3]);
    CHECK(refused_by(answers[3].error()) == "replies_per_day");
    CHECK(answers[4]);
    CHECK(held().starts_with("2 "));
    CHECK(held_by(bob) == "0 0"); // no limit of his
    check_books();
  }

  TEST_CASE_FIXTURE(usage_world, "what is not stored holds nothing") {
    limit(ada, "replies_per_day", "2");
    const auto foreign = add_conversation(add_user());
    const auto answers = send({turn{ada, foreign, false, "x", {}, "{}"}});
    REQUIRE_FALSE(answers.front());
    CHECK(answers.front().error().reason == "conversation_not_found");
    CHECK(held() == "0 0");
    auto again = say();
    again.client_id = "one";
    CHECK(send({again}).front());
    const auto repeated = send({again, again, again});
    for (const auto& one : repeated) {
      REQUIRE(one);
      CHECK(one->repeated);
    }
    CHECK(held().starts_with("1 "));
    CHECK(one_more() == "sent");
    const auto over =
        send({again}); // the limit is reached: a first receipt all the same
    CHECK((over.front() && over.front()->repeated));
    check_books();
  }

  TEST_CASE_FIXTURE(usage_world, "sends at once never exceed a limit of ten") {
    limit(ada, "replies_per_day", "10");
    constexpr auto lines = 5;
    constexpr auto sends = 10;
    auto stored = std::vector<std::future<int>>{};
    for (auto n = 0; n < lines; ++n)
      stored.push_back(std::async(std::launch::async, [this] {
        auto line = connection{database(), role::engine};
        auto count = 0;
        for (auto i = 0; i < sends; ++i) {
          const auto what = turn{ada, room, false, "hi", {}, "{}"};
          const auto made = enqueue(line, {}, {&what, 1});
          count += made && made->front() ? 1 : 0;
        }
        return count;
      }));
    auto all = 0;
    for (auto& one : stored)
      all += one.get();
    CHECK(all == 10);
    CHECK(held().starts_with("10 "));
    check_books();
  }

  TEST_CASE_FIXTURE(usage_world, "a day that is over limits nothing") {
    limit(ada, "replies_per_day", "1");
    const auto lease = join();
    finish_one(lease, send_one(lease), {1, 1, false});
    CHECK(one_more() == "replies_per_day");
    admin("update public.usage_daily set day = day - 1 where user_id = $1",
          {ada.str()});
    CHECK(one_more() == "sent");
    CHECK(one_more() == "replies_per_day"); // held
  }

  TEST_CASE_FIXTURE(usage_world, "a minute that is over limits nothing") {
    limit(ada, "replies_per_minute", "2");
    CHECK(one_more() == "sent");
    CHECK(one_more() == "sent");
    CHECK(one_more() == "replies_per_minute");
    admin("update jessica.quota set recent_at = recent_at - interval '1 min' "
          "where user_id = $1",
          {ada.str()});
    CHECK(one_more() == "sent");
    CHECK(one_more() == "sent");
    CHECK(one_more() == "replies_per_minute");
  }

  TEST_CASE_FIXTURE(usage_world, "places in a minute come back one by one") {
    const auto later = [&](const std::string& seconds) {
      admin("update jessica.quota set recent_at = recent_at - interval '1 s' * $2 "
            "where user_id = $1",
            {ada.str(), seconds});
    };
    limit(ada, "replies_per_minute", "7"); // which no interval can be divided by
    for (auto i = 0; i < 7; ++i)
      CHECK(one_more() == "sent");
    CHECK(one_more() == "replies_per_minute");
    later("9"); // a seventh of a minute
    CHECK(one_more() == "sent");
    CHECK(one_more() == "replies_per_minute");
    later("30");
    for (auto i = 0; i < 3; ++i)
      CHECK(one_more() == "sent");
    CHECK(one_more() == "replies_per_minute");
    const auto stored = send({say()});
    const auto told = wire::read_refusal(stored.front().error());
    REQUIRE(told);
    CHECK(std::stoi(told->retry_after) <= 9);
  }

  TEST_CASE_FIXTURE(usage_world,
                    "a limit below what a reply may need lets one through") {
    limit(ada, "tokens_per_day", "100");
    const auto lease = join();
    const auto made = send_one(lease);
    CHECK(held() == "1 100");
    CHECK(one_more() == "tokens_per_day");
    finish_one(lease, made, {60, 70, false}); // more than was held: counted in full
    CHECK(used() == "m 1 60 70 0 0");
    CHECK(one_more() == "tokens_per_day");
  }

  TEST_CASE_FIXTURE(usage_world, "one's own limit is stronger than everybody's") {
    auto in = config::quota_settings{};
    in.replies_per_day = 1;
    REQUIRE(configure_quota(db, in));
    CHECK(one_more() == "sent");
    CHECK(one_more() == "replies_per_day");
    limit(ada, "replies_per_minute", "100"); // says nothing of days
    CHECK(one_more() == "replies_per_day");
    limit(ada, "replies_per_day", "0"); // no limit
    CHECK(one_more() == "sent");
    REQUIRE(configure_quota(db, {})); // takes back what the server wrote
    CHECK(number_of("select count(*) from public.usage_limits where user_id is null") ==
          0);
  }

  TEST_CASE_FIXTURE(usage_world, "a default that an operator wrote stays at a start") {
    admin("insert into public.usage_limits (replies_per_day) values (7)");
    REQUIRE(configure_quota(db, {}));
    CHECK(number_of("select replies_per_day from public.usage_limits") == 7);
  }
}

} // namespace jessica::storage
