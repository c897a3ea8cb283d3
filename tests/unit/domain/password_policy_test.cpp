#include "domain/known_passwords.hpp"
#include "domain/password_policy.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

namespace jessica {
namespace {

[[nodiscard]] std::string refusal(std::string_view password,
                                  const password_policy& by) {
  const auto checked = check_password(password, by);
  return checked ? "" : checked.error().reason + ' ' + checked.error().what;
}

} // namespace

TEST_SUITE("domain.password_policy") {
  TEST_CASE("length is counted in characters below and in bytes above") {
    const auto six = password_policy{};
    CHECK(refusal("123456", six).empty());
    CHECK(refusal("äöüßé€", six).empty());
    CHECK(refusal("äöüßé", six) ==
          "weak_password:length Password should be at least 6 characters.");
    CHECK(refusal("", six).starts_with("weak_password:length"));
    CHECK(refusal(std::string(72, 'x'), six).empty());
    CHECK(refusal(std::string(73, 'x'), six) ==
          "validation_failed Password cannot be longer than 72 characters");
    CHECK(refusal(std::string(200, 'x'), {.max_bytes = 200}).empty());
  }

  TEST_CASE("one character of each set is needed") {
    const auto by = password_policy{.required = "abc:ABC:012\\:3"};
    CHECK(refusal("aA0xyz", by).empty());
    CHECK(refusal("aA:xyz", by).empty());
    CHECK(refusal("aAxyz", {.min_characters = 1, .required = "::"}).empty());
    const auto text = std::string{"Password should contain at least one character of "
                                  "each: abc, ABC, 012:3."};
    CHECK(refusal("aAxyzw", by) == "weak_password:characters " + text);
    CHECK(refusal("x", by) ==
          "weak_password:length,characters Password should be at least 6 characters. " +
              text);
  }

  TEST_CASE("what everybody tries first is refused when that is asked for") {
    CHECK(refusal("password", {}).empty());
    const auto by = password_policy{.refuse_known = true};
    CHECK(refusal("password", by) ==
          "weak_password:pwned Password is known to be weak and easy to guess, please "
          "choose a different one.");
    CHECK(refusal("PassWord", by).starts_with("weak_password:pwned"));
    CHECK(refusal("correct horse battery", by).empty());
  }

  TEST_CASE("the list is sorted, in lower case, and long") {
    const auto all = known_passwords();
    CHECK(all.size() == 10'000);
    CHECK(std::ranges::is_sorted(all));
    CHECK(std::ranges::all_of(all, [](std::string_view word) {
      return word.size() >= 6 && is_known_password(word);
    }));
    CHECK_FALSE(is_known_password(""));
    CHECK_FALSE(is_known_password(std::string(100'000, 'a')));
  }
}

} // namespace jessica
