#include "wire/credentials.hpp"
#include "wire/jwt.hpp"

#include <doctest/doctest.h>

#include <string>

TEST_SUITE_BEGIN("wire.credentials");

namespace jessica::wire {
namespace {

using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr auto now = sys_seconds{seconds{1'800'000'000}};

[[nodiscard]] credentials sample() {
  return {"a secret of at least thirty-two bytes", "sb_publishable_abcdefgh",
          "sb_secret_ijklmnopqrst"};
}

[[nodiscard]] std::string key(db_role role) {
  return make_api_key(role, sample().jwt_secret, now);
}

[[nodiscard]] std::string user_token(seconds lifetime = seconds{3600}) {
  auto grant = session_grant{};
  grant.user.id = *user_id::parse("01890a5d-ac96-774b-bcce-b302099a8057");
  return make_access_token(grant, sample().jwt_secret, "i", now, lifetime);
}

[[nodiscard]] std::string outcome(const result<identity>& who) {
  if (who)
    return std::string{name(who->role)};
  CHECK(who.error().code == errc::unauthenticated);
  return who.error().reason;
}

[[nodiscard]] std::string of_key(std::string_view text) {
  return outcome(resolve_api_key(sample(), text, now));
}

[[nodiscard]] std::string of(std::string_view apikey,
                             std::optional<std::string_view> bearer,
                             bool require_apikey = true) {
  return outcome(resolve_principal(sample(), apikey, bearer, require_apikey, now));
}

TEST_CASE("an API key is a token of role anon or service_role") {
  CHECK(of_key(key(db_role::anon)) == "anon");
  CHECK(of_key(key(db_role::service_role)) == "service_role");
}

TEST_CASE("an opaque key gives its role, with claims row security can read") {
  const auto anon = resolve_api_key(sample(), "sb_publishable_abcdefgh", now);
  REQUIRE(anon.has_value());
  CHECK(anon->role == db_role::anon);
  CHECK(anon->claims == R"({"role":"anon"})");
  CHECK(anon->expires == sys_seconds::max());
  const auto service = resolve_api_key(sample(), "sb_secret_ijklmnopqrst", now);
  REQUIRE(service.has_value());
  CHECK(service->role == db_role::service_role);
  CHECK(service->claims == R"({"role":"service_role"})");
}

TEST_CASE("an opaque key that is not ours is refused") {
  CHECK(of_key("sb_") == "api_key");
  CHECK(of_key("sb_publishable_abcdefgi") == "api_key");
  CHECK(of_key("sb_publishable_abcdefg") == "api_key");
  CHECK(of_key("sb_publishable_abcdefghi") == "api_key");
  CHECK(of_key("sb_secret_ijklmnopqrsT") == "api_key");
}

TEST_CASE("a key that is not configured matches nothing") {
  const auto bare = credentials{sample().jwt_secret, "", ""};
  CHECK(outcome(resolve_api_key(bare, "", now)) == "no_api_key");
  CHECK(outcome(resolve_api_key(bare, "sb_", now)) == "api_key");
}

TEST_CASE("a user's token is no API key") {
  CHECK(of_key(user_token()) == "api_key");
}

TEST_CASE("a bad token as API key keeps the verifier's reason") {
  CHECK(of_key("rubbish") == "malformed");
  CHECK(of_key(make_api_key(db_role::anon, "another secret", now)) == "signature");
  CHECK(outcome(resolve_api_key(sample(), key(db_role::anon),
                                now + seconds{400'000'000})) == "expired");
}

TEST_CASE("no bearer: the API key's role") {
  CHECK(of(key(db_role::anon), std::nullopt) == "anon");
  CHECK(of("sb_secret_ijklmnopqrst", std::nullopt) == "service_role");
}

TEST_CASE("the bearer wins over the API key") {
  CHECK(of(key(db_role::anon), user_token()) == "authenticated");
  CHECK(of(key(db_role::service_role), user_token()) == "authenticated");
  CHECK(of("sb_publishable_abcdefgh", key(db_role::service_role)) == "service_role");
}

TEST_CASE("the same key in both places is fine") {
  const auto anon = key(db_role::anon);
  CHECK(of(anon, anon) == "anon");
  CHECK(of("sb_publishable_abcdefgh", "sb_publishable_abcdefgh") == "anon");
}

TEST_CASE("a bearer that starts with sb_ counts as an API key") {
  CHECK(of(key(db_role::anon), "sb_secret_ijklmnopqrst") == "service_role");
  CHECK(of(key(db_role::anon), "sb_secret_wrong") == "api_key");
}

TEST_CASE("a bearer that is there must be good") {
  CHECK(of(key(db_role::service_role), "") == "malformed");
  CHECK(of(key(db_role::service_role), "rubbish") == "malformed");
  CHECK(of(key(db_role::service_role), user_token(seconds{-1})) == "expired");
  CHECK(of("", "", false) == "malformed");
}

TEST_CASE("a bad API key is refused even beside a good bearer") {
  CHECK(of("rubbish", user_token()) == "api_key");
  CHECK(of("sb_publishable_wrong", user_token()) == "api_key");
  CHECK(of(user_token(), user_token()) == "api_key");
  CHECK(of("rubbish", std::nullopt, false) == "api_key");
}

TEST_CASE("without an API key it depends on whether one is required") {
  CHECK(of("", std::nullopt) == "no_api_key");
  CHECK(of("", user_token()) == "no_api_key");
  CHECK(of("", std::nullopt, false) == "anon");
  CHECK(of("", user_token(), false) == "authenticated");
  CHECK(of("", "sb_secret_ijklmnopqrst", false) == "service_role");
}

} // namespace
} // namespace jessica::wire

TEST_SUITE_END();
