#include "storage/password.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace jessica::storage {
namespace {

constexpr auto cheap = hash_cost{1, 8};

[[nodiscard]] std::string hashed(std::string_view password) {
  auto hash = hash_password(password, cheap);
  REQUIRE(hash);
  return std::move(*hash);
}

} // namespace

TEST_SUITE("storage.password") {
  TEST_CASE("a hash verifies its own password and no other") {
    const auto hash = hashed("correct horse");
    CHECK(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"));
    CHECK(verify_password(hash, "correct horse"));
    CHECK_FALSE(verify_password(hash, "correct horsf"));
    CHECK_FALSE(verify_password(hash, ""));
    CHECK_FALSE(verify_password(hash, "correct horse "));
  }

  TEST_CASE("the same password twice gives two hashes") {
    CHECK(hashed("twice") != hashed("twice"));
  }

  TEST_CASE("the cost is written into the hash") {
    const auto hash = hash_password("x", {3, 64});
    REQUIRE(hash);
    CHECK(hash->starts_with("$argon2id$v=19$m=64,t=3,p=1$"));
    CHECK(verify_password(*hash, "x"));
  }

  TEST_CASE("zero bytes and long passwords count in full") {
    const auto with_zero = std::string{"a\0b", 3};
    const auto hash = hashed(with_zero);
    CHECK(verify_password(hash, with_zero));
    CHECK_FALSE(verify_password(hash, std::string_view{"a\0c", 3}));
    const auto long_one = std::string(1000, 'x');
    CHECK(verify_password(hashed(long_one), long_one));
    CHECK_FALSE(verify_password(hashed(long_one), std::string(999, 'x')));
  }

  TEST_CASE("the same text as other code points is another password") {
    const auto composed = std::string_view{"caf\xc3\xa9 au lait"};
    const auto decomposed = std::string_view{"cafe\xcc\x81 au lait"};
    CHECK(verify_password(hashed(composed), composed));
    CHECK_FALSE(verify_password(hashed(composed), decomposed));
    CHECK_FALSE(verify_password(hashed(composed), "caf\xc3\xa9 au lait "));
  }

  TEST_CASE("foreign and broken hashes verify nothing") {
    const auto good = hashed("x");
    for (const auto& bad :
         {std::string{}, std::string{"x"}, std::string{"$argon2id$"},
          std::string{"$argon2i$v=19$m=8,t=3,p=1$c2FsdHNhbHRzYWx0c2E$AAAA"},
          good.substr(0, good.size() - 1), good + "A", std::string(500, 'A'),
          "$argon2id$" + std::string(500, 'A')}) {
      CAPTURE(bad);
      CHECK_FALSE(verify_password(bad, "x"));
    }
  }

  TEST_CASE("what can be verified is told from what cannot") {
    CHECK(is_password_hash(hashed("x")));
    CHECK_FALSE(is_password_hash(""));
    CHECK_FALSE(is_password_hash("$2a$10$N9qo8uLOickgx2ZMRZoMye"));
    CHECK(is_password_hash("$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaGhhc2g"));
    for (const auto* hash :
         {"$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ",
          "$argon2id$v=16$m=8,t=1,p=1$c$c", "$argon2id$v=19$m=4294967295,t=1,p=1$c$c",
          "$argon2id$v=19$m=8,t=1000,p=1$c$c", "$argon2id$v=19$m=8,t=1,p=1000$c$c",
          "$argon2id$v=19$m=8,t=1,p=1$c !$c", "$argon2id$v=19$m=x,t=1,p=1$c$c",
          "$argon2i$v=19$m=8,t=3,p=1$c$c", "$5$rounds=5000$salt$hash"}) {
      CAPTURE(hash);
      CHECK_FALSE(is_password_hash(hash));
    }
  }

  TEST_CASE("a hash of another cost is to be replaced") {
    CHECK_FALSE(needs_new_hash(hashed("x"), cheap));
    CHECK(needs_new_hash(hashed("x"), {cheap.passes + 1, cheap.memory_kib}));
    CHECK(needs_new_hash(hashed("x"), {cheap.passes, cheap.memory_kib * 2}));
    CHECK(needs_new_hash("", cheap));
  }

  TEST_CASE("a cost beyond all limits is told, not paid") {
    const auto refused = hash_password("x", {1, std::size_t{1} << 42U});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::overloaded);
  }
}

} // namespace jessica::storage
