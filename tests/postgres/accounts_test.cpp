#include "ops/metrics.hpp"
#include "storage/account_row.hpp"
#include "storage/accounts.hpp"
#include "storage/password.hpp"
#include "tests/postgres/accounts_world.hpp"

#include <doctest/doctest.h>

#include <string>

namespace jessica::storage {
namespace {

using namespace test;

void ban(user_id user, std::string until) {
  admin("update auth.users set banned_until = $2::timestamptz where id = $1",
        {user.str(), std::move(until)});
}

/// Passwords hashed so far, to store or to verify one.
[[nodiscard]] int hashes() {
  const auto page = ops::metrics_page();
  const auto name = std::string{"\njessica_storage_password_hashes_total "};
  const auto at = page.find(name);
  return at == std::string::npos ? 0 : std::stoi(page.substr(at + name.size()));
}

} // namespace

TEST_SUITE("storage.accounts") {
  TEST_CASE_FIXTURE(accounts_world,
                    "signing up makes a confirmed account and a session") {
    const auto email = fresh_email();
    const auto made =
        sign_up(db, limits, {email, "secret1", R"({"name": "Ada", "n": null})"},
                {"203.0.113.9", "Browser/1.0"});
    REQUIRE(made);
    CHECK(made->user.email == email);
    CHECK_FALSE(made->user.anonymous);
    CHECK(made->user.app_metadata ==
          R"({"provider": "email", "providers": ["email"]})");
    CHECK(made->user.user_metadata ==
          R"({"n": null, "name": "Ada", "email_verified": true})");
    CHECK(made->user.email_confirmed_at);
    CHECK(made->user.last_sign_in_at == made->user.created_at);
    CHECK_FALSE(made->user.banned_until);
    CHECK(made->method == "password");
    CHECK(made->authenticated_at ==
          std::chrono::floor<std::chrono::seconds>(made->user.created_at));
    const auto row = admin("select user_id, ip, user_agent from auth.sessions "
                           "where id = $1",
                           {made->session.str()});
    REQUIRE(row.size() == 1);
    CHECK(row.text(0, 0) == made->user.id.str());
    CHECK(row.text(0, 1) == "203.0.113.9");
    CHECK(row.text(0, 2) == "Browser/1.0");
    CHECK(find_user(db, made->user.id, made->session)->email == email);
  }

  TEST_CASE_FIXTURE(accounts_world, "neither password nor refresh token is stored") {
    const auto made = sign_up(db, limits, {fresh_email(), "secret1", "{}"}, {});
    REQUIRE(made);
    const auto hash = text_of("select encrypted_password from auth.users where id = $1",
                              {made->user.id.str()});
    CHECK(verify_password(hash, "secret1"));
    const auto all = text_of("select (select json_agg(u) from auth.users u)::text || "
                             "(select json_agg(s) from auth.sessions s)::text || "
                             "(select json_agg(t) from auth.refresh_tokens t)::text");
    CHECK_FALSE(all.contains("secret1"));
    CHECK_FALSE(all.contains(made->refresh_token));
    CHECK_FALSE(all.contains(made->refresh_token.substr(24)));
  }

  TEST_CASE_FIXTURE(accounts_world,
                    "an anonymous account has no e-mail and no provider") {
    const auto made = sign_up(db, limits, {"", "", R"({"a": 1})"}, {});
    REQUIRE(made);
    CHECK(made->user.anonymous);
    CHECK(made->user.email.empty());
    CHECK(made->user.app_metadata == "{}");
    CHECK(made->user.user_metadata == R"({"a": 1})");
    CHECK_FALSE(made->user.email_confirmed_at);
    CHECK(made->user.last_sign_in_at);
    CHECK(made->method == "anonymous");
    CHECK(sign_up(db, limits, {"", "", "{}"}, {})); // any number of them
    CHECK(reason(sign_in(db, limits, "", "", {})) == "invalid_credentials");
  }

  TEST_CASE_FIXTURE(accounts_world, "an e-mail is one account's, in whatever case") {
    const auto email = fresh_email();
    REQUIRE(sign_up(db, limits, {email, "secret1", "{}"}, {}));
    auto shouted = email;
    shouted.front() = 'U';
    const auto again = sign_up(db, limits, {shouted, "secret2", "{}"}, {});
    REQUIRE_FALSE(again);
    CHECK(again.error().code == errc::conflict);
    CHECK(again.error().reason == "user_already_exists");
    CHECK(number_of("select count(*) from auth.users where lower(email) = $1",
                    {email}) == 1);
    CHECK(sign_in(db, limits, shouted, "secret1", {}));
  }

  TEST_CASE_FIXTURE(accounts_world, "user data must be a JSON object") {
    for (const auto* bad : {"", "[1]", "1", "null", "{", "{\"a\":\"\\u0000\"}"}) {
      CAPTURE(bad);
      const auto made = sign_up(db, limits, {fresh_email(), "secret1", bad}, {});
      REQUIRE_FALSE(made);
      CHECK(made.error().code == errc::invalid_input);
    }
  }

  TEST_CASE_FIXTURE(accounts_world, "what a client says of itself harms no sign-in") {
    const auto made =
        sign_up(db, limits, {fresh_email(), "secret1", "{}"},
                {"not an address", "\xff\n\x01" + std::string(1000, 'x')});
    REQUIRE(made);
    const auto row = admin("select ip, user_agent from auth.sessions where id = $1",
                           {made->session.str()});
    CHECK(row.null(0, 0));
    CHECK(row.text(0, 1) == "???" + std::string(252, 'x'));
    const auto six =
        sign_up(db, limits, {fresh_email(), "secret1", "{}"}, {"2001:db8::1", ""});
    REQUIRE(six);
    const auto other = admin("select ip, user_agent from auth.sessions where id = $1",
                             {six->session.str()});
    CHECK(other.text(0, 0) == "2001:db8::1");
    CHECK(other.null(0, 1));
  }

  TEST_CASE_FIXTURE(accounts_world, "signing in opens one more session") {
    const auto first = member();
    admin("update auth.users set last_sign_in_at = null where id = $1",
          {first.user.id.str()});
    const auto second = sign_in(db, limits, first.user.email, "secret1", {});
    REQUIRE(second);
    CHECK(second->user.id == first.user.id);
    CHECK(second->session != first.session);
    CHECK(second->refresh_token != first.refresh_token);
    CHECK(second->method == "password");
    CHECK(second->user.last_sign_in_at);
    CHECK(sessions_of(first.user.id) == 2);
  }

  TEST_CASE_FIXTURE(accounts_world, "wrong password and unknown e-mail read the same") {
    const auto known = member();
    const auto wrong = sign_in(db, limits, known.user.email, "secret2", {});
    const auto unknown = sign_in(db, limits, fresh_email(), "secret1", {});
    REQUIRE_FALSE(wrong);
    REQUIRE_FALSE(unknown);
    CHECK(wrong.error().code == errc::unauthenticated);
    CHECK(wrong.error().reason == "invalid_credentials");
    CHECK(unknown.error().code == wrong.error().code);
    CHECK(unknown.error().reason == wrong.error().reason);
    CHECK(unknown.error().what == wrong.error().what);
    CHECK(sessions_of(known.user.id) == 1);
  }

  TEST_CASE_FIXTURE(accounts_world,
                    "known and unknown e-mails cost the same number of hashes") {
    const auto hashes_of = [&](std::string_view email, std::string_view password) {
      const auto before = hashes();
      (void)sign_in(db, limits, email, password, {});
      return hashes() - before;
    };
    const auto known = member();
    const auto deleted = member();
    admin("update auth.users set deleted_at = now() where id = $1",
          {deleted.user.id.str()});
    CHECK(hashes_of(known.user.email, "wrong") == 1);
    CHECK(hashes_of(fresh_email(), "wrong") == 1);
    CHECK(hashes_of(deleted.user.email, "secret1") == 1);
    CHECK(hashes_of("", "") == 1);
    CHECK(hashes_of(known.user.email, "secret1") == 1);
  }

  TEST_CASE_FIXTURE(accounts_world,
                    "an account without a usable password lets nobody in") {
    const auto known = member();
    for (const auto& hash : {parameter{}, parameter{""}, parameter{"secret1"},
                             parameter{"$2a$10$N9qo8uLOickgx2ZMRZoMye"}}) {
      admin("update auth.users set encrypted_password = $2 where id = $1",
            {known.user.id.str(), hash});
      CHECK(reason(sign_in(db, limits, known.user.email, "secret1", {})) ==
            "invalid_credentials");
      CHECK(reason(sign_in(db, limits, known.user.email, "", {})) ==
            "invalid_credentials");
    }
  }

  TEST_CASE_FIXTURE(accounts_world,
                    "a banned user is told so, but only with the password") {
    const auto known = member();
    ban(known.user.id, "infinity");
    const auto refused = sign_in(db, limits, known.user.email, "secret1", {});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::forbidden);
    CHECK(refused.error().reason == "sign_in_banned");
    CHECK(reason(sign_in(db, limits, known.user.email, "secret2", {})) ==
          "invalid_credentials");
    CHECK(sessions_of(known.user.id) == 1);
    ban(known.user.id, "2020-01-01 00:00:00+00");
    const auto back = sign_in(db, limits, known.user.email, "secret1", {});
    REQUIRE(back);
    CHECK(back->user.banned_until ==
          timestamp{std::chrono::sys_days{std::chrono::year{2020} / 1 / 1}});
  }

  TEST_CASE_FIXTURE(accounts_world, "a ban without end reads as the far future") {
    const auto known = member();
    ban(known.user.id, "infinity");
    const auto row = admin("select " + std::string{account_columns} +
                               " from auth.users u where u.id = $1",
                           {known.user.id.str()});
    CHECK(read_account(row, 0).banned_until ==
          timestamp{std::chrono::sys_days{std::chrono::year{9999} / 12 / 31}});
    CHECK(known.user.banned_until == std::nullopt);
  }

  TEST_CASE_FIXTURE(accounts_world, "a deleted account lets nobody in") {
    const auto known = member();
    admin("update auth.users set deleted_at = now() where id = $1",
          {known.user.id.str()});
    CHECK(reason(sign_in(db, limits, known.user.email, "secret1", {})) ==
          "invalid_credentials");
    CHECK(reason(find_user(db, known.user.id, known.session)) == "user_not_found");
    CHECK(reason(refresh(db, limits, known.refresh_token, {})) == "session_not_found");
  }

  TEST_CASE_FIXTURE(accounts_world, "a user is found by a live session of his own") {
    const auto ada = member();
    const auto bob = member();
    CHECK(find_user(db, ada.user.id, ada.session));
    const auto check = [&](user_id user, auth_session_id session,
                           std::string_view why) {
      const auto found = find_user(db, user, session);
      REQUIRE_FALSE(found);
      CHECK(found.error().code == errc::forbidden);
      CHECK(found.error().reason == why);
    };
    check(user_id::make(), ada.session, "user_not_found");
    check(ada.user.id, bob.session, "session_not_found");
    check(ada.user.id, auth_session_id::make(), "session_not_found");
    check(ada.user.id, {}, "session_not_found");
    admin("update auth.sessions set not_after = now() where id = $1",
          {ada.session.str()});
    check(ada.user.id, ada.session, "session_not_found");
    ban(bob.user.id, "2999-01-01");
    check(bob.user.id, bob.session, "user_banned");
  }

  TEST_CASE_FIXTURE(accounts_world,
                    "signing out ends this, the other or all sessions") {
    const auto open = [&](const session_grant& of) {
      auto grant = sign_in(db, limits, of.user.email, "secret1", {});
      REQUIRE(grant);
      return std::move(*grant);
    };
    const auto first = member();
    const auto user = first.user.id;
    const auto second = open(first);
    const auto third = open(first);
    const auto stranger = member();

    CHECK(sign_out(db, user, second.session, logout_scope::local));
    CHECK(reason(find_user(db, user, second.session)) == "session_not_found");
    CHECK(reason(refresh(db, limits, second.refresh_token, {})) == "session_not_found");
    CHECK(sessions_of(user) == 2);

    const auto fourth = open(first);
    CHECK(sign_out(db, user, third.session, logout_scope::others));
    CHECK(find_user(db, user, third.session));
    CHECK(reason(find_user(db, user, first.session)) == "session_not_found");
    CHECK(reason(find_user(db, user, fourth.session)) == "session_not_found");

    (void)open(first);
    CHECK(sign_out(db, user, third.session, logout_scope::global));
    CHECK(sessions_of(user) == 0);
    CHECK(sessions_of(stranger.user.id) == 1);
    CHECK(number_of("select count(*) from auth.refresh_tokens where user_id = $1",
                    {user.str()}) == 0);
  }

  TEST_CASE_FIXTURE(accounts_world, "nobody signs out with a session that is not his") {
    const auto ada = member();
    const auto bob = member();
    const auto refused = sign_out(db, ada.user.id, bob.session, logout_scope::global);
    CHECK(reason(refused) == "session_not_found");
    CHECK(reason(sign_out(db, user_id::make(), ada.session, logout_scope::local)) ==
          "user_not_found");
    CHECK(sessions_of(ada.user.id) == 1);
    CHECK(sessions_of(bob.user.id) == 1);
  }

  TEST_CASE_FIXTURE(accounts_world, "without a database every call says unavailable") {
    auto gone = connection{
        {"host=/nonexistent dbname=x", false, std::chrono::seconds{1}}, role::accounts};
    const auto token = member().refresh_token;
    const auto check = [](const auto& answer) {
      REQUIRE_FALSE(answer);
      CHECK(answer.error().code == errc::unavailable);
    };
    check(sign_up(gone, limits, {"a@example.org", "secret1", "{}"}, {}));
    check(sign_in(gone, limits, "a@example.org", "secret1", {}));
    check(refresh(gone, limits, token, {}));
    check(find_user(gone, user_id::make(), auth_session_id::make()));
    check(sign_out(gone, user_id::make(), {}, logout_scope::local));
  }
}

} // namespace jessica::storage
