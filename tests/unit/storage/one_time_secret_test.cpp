#include "storage/one_time_secret.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

using namespace jessica;
using namespace jessica::storage;

namespace {

const auto key = code_key::derive("the server's secret");
const auto user = *user_id::parse("11111111-1111-4111-8111-111111111111");

[[nodiscard]] letter some_letter() {
  return {.kind = letter_kind::recovery,
          .to = "ada@example.org",
          .code = "012345",
          .token = "abc",
          .verify_url = "https://api.example/auth/v1/verify",
          .redirect_to = "https://app.example/",
          .new_email = {}};
}

} // namespace

TEST_SUITE("storage.one_time_secret") {
  TEST_CASE("a code is six digits, a token 64 hex digits, and none comes twice") {
    auto tokens = std::set<std::string>{};
    for (auto i = 0; i < 100; ++i) {
      const auto code = make_code();
      CHECK(code.size() == 6);
      CHECK(std::ranges::all_of(code, [](char c) { return c >= '0' && c <= '9'; }));
      const auto token = make_token();
      CHECK(token.size() == 64);
      CHECK(tokens.insert(token).second);
    }
  }

  TEST_CASE("a code's hash depends on the key, the user, the kind and the address") {
    const auto hash = key.hash(user, "recovery", "a@b", "123456");
    CHECK(hash.size() == 64);
    CHECK(key.hash(user, "recovery", "a@b", "123456") == hash);
    CHECK(key.hash(user, "recovery", "a@b", "123457") != hash);
    CHECK(key.hash(user, "recovery", "a@c", "123456") != hash);
    CHECK(key.hash(user, "confirmation", "a@b", "123456") != hash);
    CHECK(key.hash(user_id{}, "recovery", "a@b", "123456") != hash);
    CHECK(code_key::derive("another").hash(user, "recovery", "a@b", "123456") != hash);
  }

  TEST_CASE("a sealed letter opens with its key, and shows nothing without") {
    const auto sealed = key.seal(some_letter());
    CHECK(sealed != key.seal(some_letter()));
    const auto opened = key.open(sealed);
    REQUIRE(opened);
    CHECK(opened->kind == letter_kind::recovery);
    CHECK(opened->to == "ada@example.org");
    CHECK(opened->code == "012345");
    CHECK(opened->token == "abc");
    CHECK(opened->verify_url == "https://api.example/auth/v1/verify");
    CHECK(opened->redirect_to == "https://app.example/");
    CHECK(opened->new_email.empty());
    CHECK_FALSE(code_key::derive("another").open(sealed));
  }

  TEST_CASE("what was changed, cut or never sealed does not open") {
    const auto sealed = key.seal(some_letter());
    for (const auto at : {std::size_t{0}, std::size_t{60}, sealed.size() - 1}) {
      auto changed = sealed;
      changed[at] = changed[at] == '0' ? '1' : '0';
      CHECK_FALSE(key.open(changed));
    }
    for (const auto* bad : {"", "00", "zz", "0"})
      CHECK_FALSE(key.open(bad));
    CHECK_FALSE(key.open(sealed.substr(0, sealed.size() - 2)));
  }

  TEST_CASE("a challenge is the one of RFC 7636's example") {
    CHECK(challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") ==
          "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
  }

  TEST_CASE("secrets are the same or not") {
    CHECK(same_secret("abc", "abc"));
    CHECK(same_secret("", ""));
    CHECK_FALSE(same_secret("abc", "abd"));
    CHECK_FALSE(same_secret("abc", "ab"));
  }
}
