#include "storage/account_change.hpp"
#include "storage/password.hpp"
#include "tests/postgres/accounts_world.hpp"

#include <doctest/doctest.h>

#include <string>

namespace jessica::storage {
namespace {

using namespace test;

struct change_world : accounts_world {
  session_grant mine = member();

  [[nodiscard]] result<account> change(account_change what) {
    return change_user(db, limits, mine.user.id, mine.session, what);
  }
  [[nodiscard]] session_grant anonymous() {
    auto made = sign_up(db, limits, {"", "", R"({"color": "red"})"}, {});
    REQUIRE(made);
    return std::move(*made);
  }
};

} // namespace

TEST_SUITE("storage.account_change") {
  TEST_CASE_FIXTURE(change_world, "data is merged and a null removes its key") {
    REQUIRE(change({.data = R"({"name": "Ada", "deep": {"a": null}})"}));
    const auto changed = change({.data = R"({"name": null, "n": 2, "gone": null})"});
    REQUIRE(changed);
    CHECK(changed->user_metadata ==
          R"({"n": 2, "deep": {"a": null}, "email_verified": true})");
    CHECK(changed->updated_at > mine.user.updated_at);
    CHECK(find_user(db, mine.user.id, mine.session)->user_metadata ==
          changed->user_metadata);
  }

  TEST_CASE_FIXTURE(change_world, "metadata cannot outgrow the tokens bit by bit") {
    const auto four = std::string(4000, 'x');
    CHECK(change({.data = R"({"a": ")" + four + R"("})"}));
    const auto refused = change({.data = R"({"b": ")" + four + R"("})"});
    CHECK(reason(refused) == "validation_failed");
    CHECK_FALSE(
        find_user(db, mine.user.id, mine.session)->user_metadata.contains("\"b\""));
  }

  TEST_CASE_FIXTURE(change_world, "a new password ends all other sessions") {
    const auto other = sign_in(db, limits, mine.user.email, "secret1", {});
    REQUIRE(other);
    REQUIRE(change({.password = "secret2"}));
    CHECK(find_user(db, mine.user.id, mine.session));
    CHECK(reason(find_user(db, mine.user.id, other->session)) == "session_not_found");
    CHECK(refresh(db, limits, mine.refresh_token, {}));
    CHECK(reason(sign_in(db, limits, mine.user.email, "secret1", {})) ==
          "invalid_credentials");
    CHECK(sign_in(db, limits, mine.user.email, "secret2", {}));
  }

  TEST_CASE_FIXTURE(change_world, "the same password is refused and ends nothing") {
    REQUIRE(sign_in(db, limits, mine.user.email, "secret1", {}));
    const auto refused = change({.password = "secret1", .data = R"({"a": 1})"});
    CHECK(reason(refused) == "same_password");
    CHECK(sessions_of(mine.user.id) == 2);
    CHECK_FALSE(
        find_user(db, mine.user.id, mine.session)->user_metadata.contains("\"a\""));
  }

  TEST_CASE_FIXTURE(change_world, "the current password counts where it is asked for") {
    CHECK(change({.password = "secret2", .current_password = "wrong"}));
    limits.require_current_password = true;
    CHECK(reason(change({.password = "secret3"})) == "current_password_required");
    CHECK(reason(change({.password = "secret3", .current_password = "secret1"})) ==
          "current_password_invalid");
    CHECK(change({.password = "secret3", .current_password = "secret2"}));
    CHECK(change({.data = R"({"a": 1})"}));
  }

  TEST_CASE_FIXTURE(change_world,
                    "an anonymous account becomes permanent with its first address") {
    const auto guest = anonymous();
    const auto email = fresh_email();
    const auto made = change_user(db, limits, guest.user.id, guest.session,
                                  {.email = email, .password = "secret1"});
    REQUIRE(made);
    CHECK_FALSE(made->anonymous);
    CHECK(made->email == email);
    CHECK(made->email_confirmed_at);
    CHECK(made->app_metadata == R"({"provider": "email", "providers": ["email"]})");
    CHECK(made->user_metadata == R"({"color": "red", "email_verified": true})");
    const auto next = refresh(db, limits, guest.refresh_token, {});
    REQUIRE(next);
    CHECK_FALSE(next->user.anonymous);
    CHECK(next->session == guest.session);
    CHECK(sign_in(db, limits, email, "secret1", {}));
  }

  TEST_CASE_FIXTURE(change_world, "an address may come before its password") {
    const auto guest = anonymous();
    const auto email = fresh_email();
    CHECK(change_user(db, limits, guest.user.id, guest.session, {.email = email}));
    CHECK(reason(sign_in(db, limits, email, "", {})) == "invalid_credentials");
    CHECK(
        change_user(db, limits, guest.user.id, guest.session, {.password = "secret1"}));
    CHECK(sign_in(db, limits, email, "secret1", {}));
  }

  TEST_CASE_FIXTURE(change_world, "an anonymous account has no password alone") {
    const auto guest = anonymous();
    CHECK(reason(change_user(db, limits, guest.user.id, guest.session,
                             {.password = "secret1"})) == "anonymous_without_email");
  }

  TEST_CASE_FIXTURE(change_world, "another account's address is refused") {
    const auto guest = anonymous();
    const auto refused = change_user(db, limits, guest.user.id, guest.session,
                                     {.email = mine.user.email, .password = "secret1"});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::conflict);
    CHECK(refused.error().reason == "email_exists");
    CHECK(find_user(db, guest.user.id, guest.session)->anonymous);
  }

  TEST_CASE_FIXTURE(change_world,
                    "a permanent account keeps its address without mail") {
    CHECK(change({.email = mine.user.email}));
    CHECK(reason(change({.email = fresh_email()})) == "email_provider_disabled");
    CHECK(find_user(db, mine.user.id, mine.session)->email == mine.user.email);
  }

  TEST_CASE_FIXTURE(change_world, "nothing changes without a live session") {
    const auto bob = member();
    CHECK(reason(change_user(db, limits, mine.user.id, bob.session,
                             {.data = R"({"a": 1})"})) == "session_not_found");
    CHECK(reason(change_user(db, limits, user_id::make(), bob.session, {})) ==
          "user_not_found");
    admin("update auth.users set banned_until = 'infinity' where id = $1",
          {mine.user.id.str()});
    CHECK(reason(change({.data = R"({"a": 1})"})) == "user_banned");
  }
}

} // namespace jessica::storage
