#include "storage/bcrypt.hpp"
#include "storage/password.hpp"

#include <doctest/doctest.h>

#include <string>

namespace jessica::storage {
namespace {

// Of the test vectors that implementations of bcrypt share.
constexpr auto of_nothing =
    "$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkY8jIucDrjc8deX1s.";
constexpr auto of_a = "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe";
constexpr auto of_uu = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

} // namespace

TEST_SUITE("storage.bcrypt") {
  TEST_CASE("known hashes verify their passwords, in all three spellings") {
    CHECK(verify_bcrypt(of_nothing, ""));
    CHECK(verify_bcrypt(of_a, "a"));
    CHECK(verify_bcrypt(of_uu, "U*U"));
    CHECK_FALSE(verify_bcrypt(of_a, "b"));
    CHECK_FALSE(verify_bcrypt(of_a, ""));
    for (const auto kind : {'b', 'y'}) {
      auto hash = std::string{of_uu};
      hash[2] = kind;
      CAPTURE(hash);
      CHECK(verify_bcrypt(hash, "U*U"));
      CHECK_FALSE(verify_bcrypt(hash, "U*V"));
    }
  }

  TEST_CASE("what bcrypt would cut is refused instead") {
    CHECK_FALSE(verify_bcrypt(of_a, std::string{"a\0b", 3}));
    CHECK_FALSE(verify_bcrypt(of_a, std::string(73, 'a')));
  }

  TEST_CASE("other forms and unbearable costs are no hashes") {
    CHECK(is_bcrypt(of_uu));
    auto slow = std::string{of_uu};
    slow.replace(4, 2, "31");
    auto quick = std::string{of_uu};
    quick.replace(4, 2, "03");
    auto broken = std::string{of_uu};
    broken.back() = '!';
    auto old = std::string{of_uu};
    old[2] = 'x';
    for (const auto& hash : {std::string{}, std::string{"$2a$"}, slow, quick, broken,
                             old, std::string{of_uu} + "x",
                             std::string{"$1$abcdefgh$abcdefghijklmnopqrstuv"}}) {
      CAPTURE(hash);
      CHECK_FALSE(is_bcrypt(hash));
      CHECK_FALSE(verify_bcrypt(hash, "U*U"));
    }
  }

  TEST_CASE("it is a password's hash, and time to replace it") {
    CHECK(is_password_hash(of_uu));
    CHECK(verify_password(of_uu, "U*U"));
    CHECK(needs_new_hash(of_uu, {1, 8}));
  }
}

} // namespace jessica::storage
