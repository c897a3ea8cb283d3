#include "tests/unit/wire/signed_tokens.hpp"
#include "wire/credentials.hpp"
#include "wire/jwt.hpp"
#include "wire/key_ring.hpp"
#include "wire/token_cache.hpp"
#include "wire/trusted_issuer.hpp"

#include <doctest/doctest.h>

#include <string>

TEST_SUITE_BEGIN("wire.token_cache");

namespace jessica::wire {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr auto now = sys_seconds{seconds{1'800'000'000}};

[[nodiscard]] std::shared_ptr<const identity> until(sys_seconds end) {
  auto who = identity{};
  who.expires = end;
  return std::make_shared<const identity>(std::move(who));
}

[[nodiscard]] std::string user_token(std::string_view secret, sys_seconds made) {
  auto grant = session_grant{};
  grant.user.id = *user_id::parse("01890a5d-ac96-774b-bcce-b302099a8057");
  return make_access_token(grant, secret, "i", made, seconds{100});
}

const auto secret = std::string(32, 's');

} // namespace

TEST_CASE("what was kept is found under its token until it expires") {
  auto cache = token_cache{16};
  const auto at = cache.place_of("token");
  CHECK(cache.find(at, now) == nullptr);
  const auto who = until(now + seconds{2});
  cache.keep(at, who, now);
  CHECK(cache.find(at, now + seconds{1}) == who);
  CHECK(cache.find(at, now + seconds{2}) == nullptr);
  CHECK(cache.find(cache.place_of("tokeN"), now) == nullptr);
  cache.clear();
  CHECK(cache.find(at, now) == nullptr);
}

TEST_CASE("a full cache gives up what expires first, expired ones before") {
  auto cache = token_cache{4}; // one bucket
  for (auto i = 0; i < 4; ++i)
    cache.keep(cache.place_of(std::to_string(i)), until(now + seconds{10 + i}), now);
  cache.keep(cache.place_of("new"), until(now + seconds{5}), now);
  CHECK(cache.find(cache.place_of("0"), now) == nullptr);
  for (const auto* kept : {"1", "2", "3", "new"})
    CHECK(cache.find(cache.place_of(kept), now) != nullptr);
  const auto later = now + seconds{6}; // "new" has expired
  cache.keep(cache.place_of("newer"), until(now + seconds{99}), later);
  for (const auto* kept : {"1", "2", "3", "newer"})
    CHECK(cache.find(cache.place_of(kept), later) != nullptr);
}

TEST_CASE("two caches put a token in different places") {
  CHECK(token_cache{4}.place_of("token") != token_cache{4}.place_of("token"));
}

TEST_CASE("a token that verified is remembered, shared, and never beyond its end") {
  const auto known = credentials{secret, "", ""};
  const auto token = user_token(secret, now);
  const auto first = verified(known, token, now);
  REQUIRE(first.has_value());
  const auto again = verified(known, token, now + seconds{99});
  REQUIRE(again.has_value());
  CHECK(*first == *again); // the same one, not an equal one
  const auto late = verified(known, token, now + seconds{100});
  REQUIRE_FALSE(late.has_value());
  CHECK(late.error().reason == "expired");
}

TEST_CASE("a token that did not verify is not remembered") {
  const auto known = credentials{secret, "", ""};
  auto bad = user_token(secret, now);
  bad[bad.size() - 5] = bad[bad.size() - 5] == 'A' ? 'B' : 'A';
  for (auto i = 0; i < 2; ++i)
    CHECK(verified(known, bad, now).error().reason == "signature");
  CHECK(verified(known, std::string(max_token_bytes + 1, 'x'), now).error().reason ==
        "malformed");
}

TEST_CASE("other keys forget what was verified by the old ones") {
  const auto token = user_token(secret, now);
  REQUIRE(verified({secret, "", ""}, token, now).has_value());
  CHECK_FALSE(verified({std::string(32, 't'), "", ""}, token, now).has_value());
  auto with_keys = credentials{secret, "", ""};
  with_keys.keys =
      std::make_shared<const key_ring>(*key_ring::read_own(test::ec_public));
  REQUIRE(verified(with_keys, test::es256_token, now).has_value());
  CHECK_FALSE(verified({secret, "", ""}, test::es256_token, now).has_value());
}

TEST_CASE("a key that the trusted issuer takes back verifies no more") {
  auto known = credentials{secret, "", ""};
  known.trusted = std::make_shared<trusted_issuer>("https://issuer.test/auth/v1", "");
  const auto set = [](std::string_view key) {
    return *key_ring::read_public(R"({"keys":[)" + std::string{key} + "]}");
  };
  CHECK_FALSE(verified(known, test::es256_token, now).has_value());
  known.trusted->use(set(test::ec_public));
  CHECK(verified(known, test::es256_token, now).has_value());
  CHECK(verified(known, test::es256_token, now).has_value());
  known.trusted->use(set(test::rsa_public));
  CHECK_FALSE(verified(known, test::es256_token, now).has_value());
  CHECK(verified(known, test::rs256_token, now).has_value());
}

} // namespace jessica::wire

TEST_SUITE_END();
