#include "storage/foreign_users.hpp"
#include "storage/logins.hpp"
#include "tests/postgres/accounts_world.hpp"

#include <doctest/doctest.h>

#include <array>

// Users of the trusted issuer, whose rows are made when they write.

namespace jessica::storage {
namespace {

using namespace test;

struct foreign_world : accounts_world {
  connection reader{database(), role::requests};
  user_id eve{uuid::make()};

  [[nodiscard]] std::int64_t rows_of(user_id user) const {
    return number_of("select count(*) from auth.users where id = $1", {user.str()});
  }
  [[nodiscard]] std::size_t endings() {
    const auto asked = std::array{login{eve, {}}};
    const auto found = ended_logins(reader, asked);
    REQUIRE(found);
    return found->size();
  }
};

} // namespace

TEST_SUITE("storage.foreign_users") {
  TEST_CASE_FIXTURE(foreign_world, "a user is known once, without e-mail or password") {
    REQUIRE(welcome_user(db, eve));
    REQUIRE(welcome_user(db, eve));
    CHECK(rows_of(eve) == 1);
    CHECK(number_of("select count(*) from auth.users where id = $1 and email is null "
                    "and encrypted_password is null and not is_anonymous",
                    {eve.str()}) == 1);
    CHECK(reason(sign_in(db, limits, "", "", {})) == "invalid_credentials");
    admin("insert into public.conversations (user_id) values ($1)", {eve.str()});
  }

  TEST_CASE_FIXTURE(foreign_world, "a row that is there stays as it is") {
    const auto ada = member();
    REQUIRE(welcome_user(db, ada.user.id));
    CHECK(find_user(db, ada.user.id, ada.session)->email == ada.user.email);
  }

  TEST_CASE_FIXTURE(foreign_world, "whoever has no row is let in, until one bans it") {
    CHECK(endings() == 0);
    REQUIRE(welcome_user(db, eve));
    CHECK(endings() == 0);
    admin("update auth.users set banned_until = 'infinity' where id = $1", {eve.str()});
    CHECK(endings() == 1);
    REQUIRE(welcome_user(db, eve));
    CHECK(endings() == 1);
  }
}

} // namespace jessica::storage
