#include "actors/access_words.hpp"
#include "storage/logins.hpp"
#include "tests/postgres/accounts_world.hpp"
#include "tests/postgres/feed_world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <variant>
#include <vector>

// What the database tells of logins, asked and by itself.

namespace jessica::storage {
namespace {

using namespace test;
using kind = access_change::kind;

struct logins_world : accounts_world {
  connection reader{database(), role::requests};
  session_grant ada = member();

  [[nodiscard]] login here() const { return {ada.user.id, ada.session}; }
  [[nodiscard]] std::vector<access_change> over(std::vector<login> asked) {
    auto found = ended_logins(reader, asked);
    if (!found)
      FAIL(found.error().what);
    return std::move(*found);
  }
  void ban(std::string until) {
    admin("update auth.users set banned_until = $2::timestamptz where id = $1",
          {ada.user.id.str(), std::move(until)});
  }
};

/// What the log said of logins since the feed was opened.
std::vector<access_change> told(wal_stream& feed) {
  auto changes = std::vector<access_change>{};
  for (const auto& piece : read_all(feed))
    for (const auto& event : piece.events)
      if (const auto* said = std::get_if<wal_message>(&event);
          said != nullptr && said->prefix == "jessica")
        if (const auto change = actors::read_access_change(said->content))
          changes.push_back(*change);
  return changes;
}

} // namespace

TEST_SUITE("storage.logins") {
  TEST_CASE_FIXTURE(logins_world, "a session that is gone is over, and only that one") {
    const auto bob = member();
    const auto his = login{bob.user.id, bob.session};
    CHECK(over({here(), his}).empty());
    CHECK(over({}).empty());
    REQUIRE(sign_out(db, ada.user.id, ada.session, logout_scope::local));
    CHECK(over({his, here()}) == std::vector{access_change{kind::signed_out, here()}});
  }

  TEST_CASE_FIXTURE(logins_world, "a session of another user is over") {
    const auto stolen = login{user_id::make(), ada.session};
    CHECK(over({stolen}) == std::vector{access_change{kind::signed_out, stolen}});
  }

  TEST_CASE_FIXTURE(logins_world, "a banned user is shut out until the ban ends") {
    const auto whole = login{ada.user.id, {}};
    ban("2100-01-01T00:00:00.5Z");
    const auto end = std::chrono::sys_seconds{std::chrono::seconds{4'102'444'801}};
    CHECK(over({here()}) == std::vector{access_change{kind::shut_out, whole, end}});
    CHECK(over({whole}) == std::vector{access_change{kind::shut_out, whole, end}});
    ban("infinity");
    CHECK(over({here()}) == std::vector{access_change{kind::shut_out, whole}});
    ban("2020-01-01");
    CHECK(over({here(), whole}).empty());
    admin("update auth.users set deleted_at = now() where id = $1",
          {ada.user.id.str()});
    CHECK(over({here()}) == std::vector{access_change{kind::shut_out, whole}});
  }

  TEST_CASE_FIXTURE(logins_world,
                    "a login without a session of a user nobody knows is not judged") {
    CHECK(over({{user_id::make(), {}}}).empty());
  }

  TEST_CASE_FIXTURE(logins_world, "the log tells of every session that ends") {
    const auto second = sign_in(db, limits, ada.user.email, "secret1", {});
    REQUIRE(second);
    auto feed = must_start();
    REQUIRE(sign_out(db, ada.user.id, ada.session, logout_scope::others));
    CHECK(told(feed) ==
          std::vector{access_change{kind::signed_out, {ada.user.id, second->session}}});
    REQUIRE(sign_out(db, ada.user.id, ada.session, logout_scope::global));
    CHECK(told(feed) == std::vector{access_change{kind::signed_out, here()}});
  }

  TEST_CASE_FIXTURE(logins_world,
                    "the log tells when an old refresh token comes back") {
    auto token = ada.refresh_token;
    for (auto i = 0; i < 2; ++i) {
      const auto next = refresh(db, limits, token, {});
      REQUIRE(next);
      token = next->refresh_token;
    }
    admin("update auth.sessions set refreshed_at = now() - interval '1 hour' "
          "where id = $1",
          {ada.session.str()});
    auto feed = must_start();
    CHECK(reason(refresh(db, limits, ada.refresh_token, {})) ==
          "refresh_token_already_used");
    CHECK(told(feed) == std::vector{access_change{kind::signed_out, here()}});
  }

  TEST_CASE_FIXTURE(logins_world, "the log tells of bans, their end, and deletions") {
    const auto whole = login{ada.user.id, {}};
    auto feed = must_start();
    ban("2100-01-01");
    const auto end = std::chrono::sys_seconds{std::chrono::seconds{4'102'444'800}};
    CHECK(told(feed) == std::vector{access_change{kind::shut_out, whole, end}});
    ban("2100-01-01");
    CHECK(told(feed).empty()); // nothing new
    ban("infinity");
    CHECK(told(feed) == std::vector{access_change{kind::shut_out, whole}});
    admin("update auth.users set banned_until = null where id = $1",
          {ada.user.id.str()});
    CHECK(told(feed) == std::vector{access_change{kind::let_in, whole}});
    admin("update auth.users set deleted_at = now() where id = $1",
          {ada.user.id.str()});
    CHECK(told(feed) == std::vector{access_change{kind::shut_out, whole}});
    admin("delete from auth.users where id = $1", {ada.user.id.str()});
    const auto last = told(feed);
    CHECK(std::ranges::contains(last, access_change{kind::shut_out, whole}));
    CHECK(std::ranges::contains(last, access_change{kind::signed_out, here()}));
  }

  TEST_CASE_FIXTURE(logins_world, "what is rolled back was not said") {
    auto feed = must_start();
    const auto undone = db.run(std::array{
        statement{"delete from auth.sessions where id = $1", {ada.session.str()}},
        statement{"select 1 / 0", {}}});
    CHECK_FALSE(undone);
    CHECK(told(feed).empty());
  }

  TEST_CASE_FIXTURE(logins_world, "clients may not ask about logins") {
    for (const auto* who : {"anon", "authenticated"})
      CHECK(text_of("select has_function_privilege($1, "
                    "'jessica.ended_logins(uuid[], uuid[])', 'execute')::text",
                    {who}) == "false");
  }
}

} // namespace jessica::storage
