#include "storage/account_admin.hpp"
#include "storage/password.hpp"
#include "tests/postgres/accounts_world.hpp"

#include <doctest/doctest.h>

#include <string>

namespace jessica::storage {
namespace {

using namespace test;
using namespace std::chrono_literals;

// "U*U", of the test vectors that implementations of bcrypt share.
constexpr auto bcrypt_hash =
    "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

struct admin_world : accounts_world {
  [[nodiscard]] result<account> create(account_fields what) {
    if (what.email.empty())
      what.email = fresh_email();
    return create_account(db, limits, what);
  }
  [[nodiscard]] account created(const account_fields& what = {}) {
    auto made = create(what);
    REQUIRE(made);
    return std::move(*made);
  }
  [[nodiscard]] result<account> change(user_id user, const account_fields& what) {
    return change_account(db, limits, user, what);
  }
};

} // namespace

TEST_SUITE("storage.account_admin") {
  TEST_CASE_FIXTURE(admin_world, "an account is made as described, without a session") {
    const auto id = user_id::make();
    const auto made = created({.id = id,
                               .password = "secret1",
                               .confirm_email = true,
                               .user_metadata = R"({"name": "Ada", "x": null})",
                               .app_metadata = R"({"plan": "pro", "provider": null})",
                               .role = "service_role",
                               .ban = 24h});
    CHECK(made.id == id);
    CHECK(made.email_confirmed_at);
    CHECK(made.user_metadata == R"({"name": "Ada"})");
    CHECK(made.app_metadata ==
          R"({"plan": "pro", "provider": "email", "providers": ["email"]})");
    CHECK(made.role == "service_role");
    REQUIRE(made.banned_until);
    CHECK(*made.banned_until - made.created_at == 24h);
    CHECK_FALSE(made.anonymous);
    CHECK_FALSE(made.last_sign_in_at);
    CHECK(sessions_of(id) == 0);
    CHECK(find_account(db, id)->email == made.email);
  }

  TEST_CASE_FIXTURE(admin_world, "an address that nobody confirmed lets nobody in") {
    const auto made = created({.password = "secret1"});
    CHECK_FALSE(made.email_confirmed_at);
    CHECK(reason(sign_in(db, limits, made.email, "secret1", {})) ==
          "email_not_confirmed");
    CHECK(reason(sign_in(db, limits, made.email, "wrong", {})) ==
          "invalid_credentials");
    REQUIRE(change(made.id, {.confirm_email = true}));
    CHECK(sign_in(db, limits, made.email, "secret1", {}));
  }

  TEST_CASE_FIXTURE(admin_world, "an address and an id are one account's") {
    const auto first = member();
    const auto same = create({.email = first.user.email});
    CHECK(reason(same) == "email_exists");
    CHECK(same.error().code == errc::conflict);
    CHECK(reason(create({.id = first.user.id})) == "user_already_exists");
    const auto other = created();
    CHECK(reason(change(other.id, {.email = first.user.email})) == "email_exists");
  }

  TEST_CASE_FIXTURE(admin_world, "an imported bcrypt hash signs in, once as bcrypt") {
    const auto made = created({.password_hash = bcrypt_hash, .confirm_email = true});
    CHECK(reason(sign_in(db, limits, made.email, "U*V", {})) == "invalid_credentials");
    const auto hash = [&] {
      return text_of("select encrypted_password from auth.users where id = $1",
                     {made.id.str()});
    };
    CHECK(hash() == bcrypt_hash);
    REQUIRE(sign_in(db, limits, made.email, "U*U", {}));
    CHECK(hash().starts_with("$argon2id$v=19$m=8,t=1,p=1$"));
    const auto upgraded = hash();
    CHECK(sign_in(db, limits, made.email, "U*U", {}));
    CHECK(hash() == upgraded);
    limits.argon2_passes = 2;
    CHECK(sign_in(db, limits, made.email, "U*U", {}));
    CHECK(hash().contains(",t=2,"));
  }

  TEST_CASE_FIXTURE(admin_world, "a hash that cannot be verified is no import") {
    for (const auto* hash : {"secret1", "$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0X",
                             "$5$salt$hash", "$argon2id$"})
      CHECK(reason(create({.password_hash = hash})) == "validation_failed");
  }

  TEST_CASE_FIXTURE(admin_world, "a password ends all sessions") {
    const auto known = member();
    REQUIRE(sign_in(db, limits, known.user.email, "secret1", {}));
    REQUIRE(change(known.user.id, {.user_metadata = R"({"a": 1})"}));
    CHECK(sessions_of(known.user.id) == 2);
    REQUIRE(change(known.user.id, {.password = "secret2"}));
    CHECK(sessions_of(known.user.id) == 0);
    CHECK(sign_in(db, limits, known.user.email, "secret2", {}));
  }

  TEST_CASE_FIXTURE(admin_world, "fields change and the others stay") {
    const auto known = member();
    const auto email = fresh_email();
    const auto changed =
        change(known.user.id, {.email = email,
                               .user_metadata = R"({"n": 1, "email_verified": null})",
                               .app_metadata = R"({"plan": "pro"})",
                               .role = "service_role"});
    REQUIRE(changed);
    CHECK(changed->email == email);
    CHECK(changed->email_confirmed_at == known.user.email_confirmed_at);
    CHECK(changed->user_metadata == R"({"n": 1})");
    CHECK(changed->app_metadata ==
          R"({"plan": "pro", "provider": "email", "providers": ["email"]})");
    CHECK(refresh(db, limits, known.refresh_token, {})->user.role == "service_role");
    CHECK(sign_in(db, limits, email, "secret1", {}));
    CHECK(reason(change(known.user.id,
                        {.app_metadata = R"({"x": ")" + std::string(6000, 'x') +
                                         R"("})"})) == "validation_failed");
  }

  TEST_CASE_FIXTURE(admin_world, "an anonymous account is made permanent") {
    const auto guest = sign_up(db, limits, {"", "", "{}"}, {});
    REQUIRE(guest);
    const auto changed =
        change(guest->user.id,
               {.email = fresh_email(), .password = "secret1", .confirm_email = true});
    REQUIRE(changed);
    CHECK_FALSE(changed->anonymous);
    CHECK(changed->app_metadata == R"({"provider": "email", "providers": ["email"]})");
    CHECK(sign_in(db, limits, changed->email, "secret1", {}));
  }

  TEST_CASE_FIXTURE(admin_world, "a ban shuts sessions out and lets them in again") {
    const auto known = member();
    REQUIRE(change(known.user.id, {.ban = 1h}));
    CHECK(reason(find_user(db, known.user.id, known.session)) == "user_banned");
    const auto refused = refresh(db, limits, known.refresh_token, {});
    CHECK(reason(refused) == "user_banned");
    CHECK(refused.error().code == errc::unauthenticated);
    CHECK(reason(sign_in(db, limits, known.user.email, "secret1", {})) ==
          "sign_in_banned");
    REQUIRE(change(known.user.id, {.user_metadata = R"({"a": 1})"}));
    CHECK(reason(find_user(db, known.user.id, known.session)) == "user_banned");
    REQUIRE(change(known.user.id, {.ban = 0ms}));
    CHECK(find_user(db, known.user.id, known.session));
    CHECK(refresh(db, limits, known.refresh_token, {}));
  }

  TEST_CASE_FIXTURE(admin_world,
                    "a soft deletion keeps the row and frees the address") {
    const auto known = member();
    REQUIRE(delete_account(db, known.user.id, true));
    const auto left = find_account(db, known.user.id);
    REQUIRE(left);
    CHECK(left->deleted_at);
    CHECK(left->user_metadata == "{}");
    CHECK(left->email.size() == 64);
    CHECK(sessions_of(known.user.id) == 0);
    CHECK(reason(find_user(db, known.user.id, known.session)) == "user_not_found");
    CHECK(reason(sign_in(db, limits, known.user.email, "secret1", {})) ==
          "invalid_credentials");
    CHECK(reason(sign_in(db, limits, left->email, "secret1", {})) ==
          "invalid_credentials");
    CHECK(reason(change(known.user.id, {.confirm_email = true})) == "user_not_found");
    CHECK(sign_up(db, limits, {known.user.email, "secret1", "{}"}, {}));
    CHECK(delete_account(db, known.user.id, true));
    CHECK(find_account(db, known.user.id)->deleted_at == left->deleted_at);
    CHECK(delete_account(db, known.user.id, false));
    CHECK(reason(find_account(db, known.user.id)) == "user_not_found");
  }

  TEST_CASE_FIXTURE(admin_world, "a hard deletion leaves nothing") {
    const auto known = member();
    REQUIRE(delete_account(db, known.user.id, false));
    CHECK(sessions_of(known.user.id) == 0);
    CHECK(reason(refresh(db, limits, known.refresh_token, {})) == "session_not_found");
    for (const auto softly : {true, false}) {
      const auto again = delete_account(db, known.user.id, softly);
      CHECK(reason(again) == "user_not_found");
      CHECK(again.error().code == errc::not_found);
    }
  }

  TEST_CASE_FIXTURE(admin_world, "pages hold every account once, the newest first") {
    const auto last = created();
    const auto first = list_accounts(db, {1, 3});
    REQUIRE(first);
    CHECK(first->accounts.size() == 3);
    CHECK(first->accounts.front().id == last.id);
    const auto second = list_accounts(db, {2, 3});
    REQUIRE(second);
    CHECK(second->total == first->total);
    CHECK(second->accounts.front().created_at <= first->accounts.back().created_at);
    CHECK(second->accounts.front().id != first->accounts.back().id);
    CHECK(list_accounts(db, {1'000'000'000, 1000})->accounts.empty());
  }
}

} // namespace jessica::storage
