#include "actors/access_words.hpp"
#include "actors/login_roll.hpp"

#include <doctest/doctest.h>

#include <string>

namespace {

using namespace jessica;
using namespace jessica::actors;
using namespace std::chrono_literals;
using kind = access_change::kind;

constexpr auto now = std::chrono::sys_seconds{1'800'000'000s};

struct rolled {
  login_roll roll{4};
  login ada{user_id::make(), auth_session_id::make()};
  login again{ada.user, auth_session_id::make()};
  login bob{user_id::make(), auth_session_id::make()};
};

} // namespace

TEST_SUITE("actors.login_roll") {
  TEST_CASE_FIXTURE(rolled, "an end concerns who is here with the login") {
    roll.enter(1, ada);
    roll.enter(2, ada);
    roll.enter(2, again);
    roll.enter(3, bob);
    using ends = std::vector<std::pair<login_roll::guest, login>>;
    CHECK(roll.apply({kind::signed_out, ada}) == ends{{1, ada}, {2, ada}});
    CHECK(roll.apply({kind::signed_out, ada}).empty());
    CHECK(roll.over(ada, now));
    CHECK_FALSE(roll.over(again, now));
    CHECK(roll.apply({kind::shut_out, {ada.user, {}}}) == ends{{2, again}});
    CHECK(roll.guests() == 1);
    CHECK(roll.over(again, now));
    CHECK_FALSE(roll.over(bob, now));
  }

  TEST_CASE_FIXTURE(rolled,
                    "a login is confirmed as long as it is here and not doubted") {
    roll.confirm(ada);
    CHECK_FALSE(roll.confirmed(ada)); // nobody is here with it
    roll.enter(1, ada);
    CHECK_FALSE(roll.confirmed(ada));
    roll.confirm(ada);
    roll.enter(2, ada);
    CHECK(roll.confirmed(ada));
    CHECK_FALSE(roll.confirmed(again));
    CHECK(roll.doubt_all() == std::vector{ada});
    CHECK_FALSE(roll.confirmed(ada));
    roll.confirm(ada);
    roll.leave(1);
    CHECK(roll.confirmed(ada));
    roll.leave(2, ada);
    roll.enter(1, ada);
    CHECK_FALSE(roll.confirmed(ada));
  }

  TEST_CASE_FIXTURE(rolled, "a user has one meter, also after a moment away") {
    const auto meter = roll.enter(1, ada);
    CHECK(roll.enter(2, again) == meter);
    CHECK(roll.enter(3, bob) != meter);
    roll.leave(1);
    roll.leave(2);
    CHECK(roll.enter(4, ada) == meter);
  }

  TEST_CASE_FIXTURE(rolled, "the memory of ends is bounded, and the latest are kept") {
    auto all = std::vector<login>{};
    for (auto i = 0; i < 100; ++i) {
      all.push_back({user_id::make(), auth_session_id::make()});
      roll.apply({kind::signed_out, all.back()});
    }
    auto kept = 0;
    for (const auto& one : all)
      kept += roll.over(one, now);
    CHECK(kept >= 4);
    CHECK(kept <= 8);
    for (auto i = std::size_t{96}; i < 100; ++i)
      CHECK(roll.over(all[i], now));
  }

  TEST_CASE("a shared rate counts what happens within a second of the clock") {
    auto rate = shared_rate{};
    const auto start = std::chrono::steady_clock::time_point{1000s};
    CHECK(rate.take(start, 3, 5));
    CHECK(rate.take(start + 999ms, 2, 5));
    CHECK_FALSE(rate.take(start + 999ms, 1, 5));
    CHECK(rate.take(start + 1s, 5, 5));
    CHECK_FALSE(rate.take(start + 1s, std::size_t{1} << 40U, 5));
    CHECK_FALSE(rate.take(start + 1s, 1, 0xffff'fffe)); // it stays at its end
    CHECK(rate.take(start + 2s, 1, 5));
  }

  TEST_CASE("what the log says of logins is read, and nothing else") {
    const auto user = user_id::make();
    const auto session = auth_session_id::make();
    const auto u = user.str();
    using change = access_change;
    CHECK(read_access_change("signed_out " + u + ' ' + session.str()) ==
          change{kind::signed_out, {user, session}});
    CHECK(read_access_change("shut_out " + u) == change{kind::shut_out, {user, {}}});
    CHECK(read_access_change("shut_out " + u + " 1800000000") ==
          change{kind::shut_out, {user, {}}, now});
    CHECK(read_access_change("let_in " + u) == change{kind::let_in, {user, {}}});
    for (const auto& text :
         {std::string{}, std::string{"jobs"}, std::string{"shut_out"},
          std::string{"shut_out "}, std::string{"shut_out x"},
          "shut_out " + u + " soon", "shut_out " + u + ' ', "shut_out " + u + " 1 2",
          "signed_out " + u, "signed_out " + u + " x", "let_in " + u + " 1",
          "cancel " + u, "shut_out " + user_id{}.str()})
      CHECK_MESSAGE(!read_access_change(text), text);
  }
}
