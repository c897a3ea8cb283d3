#include "storage/accounts.hpp"
#include "storage/refresh_token.hpp"
#include "tests/postgres/accounts_world.hpp"

#include <doctest/doctest.h>

#include <array>
#include <barrier>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace jessica::storage {
namespace {

using namespace test;

/// Let a token be the session's n-th; the client presents the k-th.
struct refresh_world : accounts_world {
  session_grant ada = member();
  std::string token = ada.refresh_token; ///< number 1

  [[nodiscard]] session_grant must_refresh(const std::string& presented) {
    auto grant = refresh(db, limits, presented, {});
    REQUIRE(grant);
    return std::move(*grant);
  }
  [[nodiscard]] std::string next_of(const std::string& presented) {
    return must_refresh(presented).refresh_token;
  }
  [[nodiscard]] std::string refusal(const std::string& presented) {
    const auto grant = refresh(db, limits, presented, {});
    REQUIRE_FALSE(grant);
    CHECK(grant.error().code == errc::unauthenticated);
    return grant.error().reason;
  }
  [[nodiscard]] std::int64_t tokens() const {
    return number_of("select count(*) from auth.refresh_tokens where session_id = $1",
                     {ada.session.str()});
  }
  /// As if the last refresh had been that long ago.
  void age(std::string interval) const {
    admin("update auth.sessions set refreshed_at = now() - $2::interval where id = $1",
          {ada.session.str(), std::move(interval)});
  }
};

/// While it lives, every update of a refresh token does that instead.
struct stuck_tokens {
  explicit stuck_tokens(std::string_view action) {
    prepare(database(),
            "create function public.stuck() returns trigger language plpgsql "
            "as $$ begin " +
                std::string{action} +
                "; end $$; create trigger stuck before update on "
                "auth.refresh_tokens for each row execute function "
                "public.stuck()");
  }
  ~stuck_tokens() {
    prepare(database(), "drop trigger stuck on auth.refresh_tokens; "
                        "drop function public.stuck()");
  }
  stuck_tokens(const stuck_tokens&) = delete;
  stuck_tokens& operator=(const stuck_tokens&) = delete;
};

} // namespace

TEST_SUITE("storage.refresh") {
  TEST_CASE_FIXTURE(refresh_world,
                    "the live token rotates and keeps the session (k = n)") {
    admin("update auth.sessions set created_at = '2026-01-02 03:04:05.678+00' "
          "where id = $1",
          {ada.session.str()});
    const auto second = refresh(db, limits, token, {"198.51.100.7", "Phone/2"});
    REQUIRE(second);
    CHECK(second->session == ada.session);
    CHECK(second->user.id == ada.user.id);
    CHECK(second->refresh_token != token);
    CHECK(second->method == "password");
    CHECK(second->authenticated_at ==
          std::chrono::sys_days{std::chrono::year{2026} / 1 / 2} +
              std::chrono::seconds{3 * 3600 + 4 * 60 + 5});
    const auto row = admin("select ip, user_agent, refreshed_at is not null "
                           "from auth.sessions where id = $1",
                           {ada.session.str()});
    CHECK(row.text(0, 0) == "198.51.100.7");
    CHECK(row.text(0, 1) == "Phone/2");
    CHECK(row.text(0, 2) == "t");
    const auto third = next_of(second->refresh_token);
    CHECK(third != second->refresh_token);
    CHECK(tokens() == 3);
  }

  TEST_CASE_FIXTURE(refresh_world, "the parent gets the live token again (k = n - 1)") {
    const auto second = next_of(token);
    CHECK(next_of(token) == second);
    age("30 days");
    CHECK(next_of(token) == second); // at any time
    CHECK(tokens() == 2);
    const auto third = next_of(second);
    CHECK(next_of(second) == third);
    CHECK(tokens() == 3);
  }

  TEST_CASE_FIXTURE(refresh_world, "an older token still works right after a refresh") {
    const auto second = next_of(token);
    const auto third = next_of(second);
    const auto fourth = next_of(third);
    CHECK(next_of(token) == fourth); // k = n - 3
    CHECK(next_of(second) == fourth);
    age("9 s");
    CHECK(next_of(token) == fourth);
    CHECK(tokens() == 4);
    CHECK(next_of(fourth) != fourth);
  }

  TEST_CASE_FIXTURE(refresh_world, "an older token later ends the session, for good") {
    const auto second = next_of(token);
    const auto third = next_of(second);
    const auto other = sign_in(db, limits, ada.user.email, "secret1", {});
    REQUIRE(other);
    age("11 s");
    CHECK(refusal(token) == "refresh_token_already_used");
    CHECK(number_of("select count(*) from auth.sessions where id = $1",
                    {ada.session.str()}) == 0);
    CHECK(refusal(third) == "session_not_found");
    CHECK(refusal(token) == "session_not_found");
    CHECK(refresh(db, limits, other->refresh_token, {})); // the user's others live on
  }

  TEST_CASE_FIXTURE(refresh_world,
                    "without a reuse interval old tokens are theft at once") {
    limits.refresh_reuse = std::chrono::seconds{0};
    const auto second = next_of(token);
    CHECK(next_of(token) == second); // the parent is no old token
    (void)next_of(second);
    CHECK(refusal(token) == "refresh_token_already_used");
  }

  TEST_CASE_FIXTURE(refresh_world,
                    "unknown, malformed and short tokens are not found") {
    const auto forged = refresh_token::make(ada.session).str();
    for (const auto& bad : {std::string{}, std::string{"short"}, std::string(64, '!'),
                            token.substr(0, 63), token + "A", forged}) {
      CAPTURE(bad);
      CHECK(refusal(bad) == "refresh_token_not_found");
    }
    CHECK(tokens() == 1);
    (void)next_of(token); // a forged token does not end the session
  }

  TEST_CASE_FIXTURE(refresh_world, "a token whose session is gone says so") {
    admin("delete from auth.sessions where id = $1", {ada.session.str()});
    CHECK(refusal(token) == "session_not_found");
    CHECK(refusal(refresh_token::make(auth_session_id::make()).str()) ==
          "session_not_found");
  }

  TEST_CASE_FIXTURE(refresh_world, "a session past its time box is expired") {
    admin("update auth.sessions set not_after = now() where id = $1",
          {ada.session.str()});
    CHECK(refusal(token) == "session_expired");
    CHECK(tokens() == 1);
  }

  TEST_CASE_FIXTURE(refresh_world, "a time box ends a session however busy it is") {
    limits.session_timebox = std::chrono::hours{1};
    const auto second = next_of(token);
    admin("update auth.sessions set created_at = now() - interval '59 minutes' "
          "where id = $1",
          {ada.session.str()});
    const auto third = next_of(second);
    admin("update auth.sessions set created_at = now() - interval '60 minutes' "
          "where id = $1",
          {ada.session.str()});
    CHECK(refusal(third) == "session_expired");
    limits.session_timebox = {};
    CHECK(refresh(db, limits, third, {}));
  }

  TEST_CASE_FIXTURE(refresh_world, "a session nobody refreshes for too long is over") {
    limits.session_inactivity = std::chrono::hours{1};
    admin("update auth.sessions set created_at = now() - interval '1 day', "
          "refreshed_at = now() - interval '59 minutes' where id = $1",
          {ada.session.str()});
    const auto second = next_of(token);
    age("60 minutes");
    CHECK(refusal(second) == "session_inactive");
    limits.session_inactivity = {};
    CHECK(refresh(db, limits, second, {}));
  }

  TEST_CASE_FIXTURE(refresh_world,
                    "a session that was never refreshed ages from birth") {
    limits.session_inactivity = std::chrono::hours{1};
    admin("update auth.sessions set created_at = now() - interval '1 hour' "
          "where id = $1",
          {ada.session.str()});
    CHECK(refusal(token) == "session_inactive");
  }

  TEST_CASE_FIXTURE(refresh_world,
                    "a banned user gets no token and keeps the session") {
    admin("update auth.users set banned_until = 'infinity' where id = $1",
          {ada.user.id.str()});
    CHECK(refusal(token) == "user_banned");
    admin("update auth.users set banned_until = null where id = $1",
          {ada.user.id.str()});
    (void)next_of(token);
  }

  TEST_CASE_FIXTURE(refresh_world, "the grant shows the account as it is now") {
    admin(
        "update auth.users set raw_app_meta_data = '{\"plan\": \"pro\"}' where id = $1",
        {ada.user.id.str()});
    const auto second = must_refresh(token);
    CHECK(second.user.app_metadata == R"({"plan": "pro"})");
    CHECK(must_refresh(token).user.app_metadata == R"({"plan": "pro"})");
  }

  TEST_CASE_FIXTURE(refresh_world, "20 refreshes at once all get the same live token") {
    constexpr auto clients = 20;
    auto gate = std::barrier{clients};
    auto tokens_got = std::vector<std::string>(clients);
    {
      auto threads = std::vector<std::jthread>{};
      for (auto i = std::size_t{0}; i < clients; ++i)
        threads.emplace_back([&, i] {
          auto mine = connection{database(), role::accounts};
          const auto up = mine.ensure();
          gate.arrive_and_wait();
          auto grant = refresh(mine, limits, token, {});
          tokens_got[i] = grant ? grant->refresh_token : grant.error().what;
        });
    }
    CHECK(std::set(tokens_got.begin(), tokens_got.end()).size() == 1);
    CHECK(tokens_got.front() != token);
    CHECK(tokens() == 2);
    (void)next_of(tokens_got.front());
  }

  TEST_CASE_FIXTURE(refresh_world, "a session that stays locked is a conflict") {
    const auto stuck = stuck_tokens{"raise exception using errcode = '55P03'"};
    const auto grant = refresh(db, limits, token, {});
    REQUIRE_FALSE(grant);
    CHECK(grant.error().code == errc::conflict);
    CHECK(grant.error().reason == "conflict");
  }

  TEST_CASE_FIXTURE(refresh_world, "a rotation that never succeeds is a conflict") {
    const auto stuck = stuck_tokens{"return null"}; // every update is lost
    const auto grant = refresh(db, limits, token, {});
    REQUIRE_FALSE(grant);
    CHECK(grant.error().code == errc::conflict);
    CHECK(tokens() == 1);
  }

  TEST_CASE_FIXTURE(refresh_world,
                    "tokens that do not follow each other give nothing away") {
    (void)next_of(token);
    admin("update auth.refresh_tokens set salt = 'ab' where session_id = $1 "
          "and salt is not null",
          {ada.session.str()});
    const auto grant = refresh(db, limits, token, {});
    REQUIRE_FALSE(grant);
    CHECK(grant.error().code == errc::internal);
  }
}

} // namespace jessica::storage
