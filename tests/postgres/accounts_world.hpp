// Accounts for tests, hashed cheaply.
#pragma once

#include "storage/accounts.hpp"
#include "tests/postgres/seed.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>

namespace jessica::test {

struct accounts_world {
  storage::connection db{database(), storage::role::accounts};
  config::auth_settings limits = [] {
    auto cheap = config::auth_settings{};
    cheap.argon2_passes = 1;
    cheap.argon2_memory_kib = 8;
    return cheap;
  }();

  [[nodiscard]] static std::string fresh_email() {
    return "u" + uuid::make().str() + "@example.org";
  }
  /// A new account with the password "secret1" and its first session.
  [[nodiscard]] session_grant member() {
    auto made = storage::sign_up(db, limits, {fresh_email(), "secret1", "{}"}, {});
    REQUIRE(made);
    return std::move(*made);
  }
  [[nodiscard]] static std::int64_t sessions_of(user_id user) {
    return number_of("select count(*) from auth.sessions where user_id = $1",
                     {user.str()});
  }
};

/// Why something failed; empty when it did not.
template <class T> [[nodiscard]] std::string reason(const result<T>& answer) {
  return answer ? std::string{} : answer.error().reason;
}

} // namespace jessica::test
