#include "wire/json_reader.hpp"
#include "wire/jwt.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>
#include <sodium.h>

#include <string>
#include <vector>

TEST_SUITE_BEGIN("wire.jwt");

namespace jessica::wire {
namespace {

namespace json = boost::json;
using std::chrono::seconds;
using std::chrono::sys_seconds;

const auto secret =
    std::string{"super-secret-jwt-token-with-at-least-32-characters-long"};
constexpr auto now = sys_seconds{seconds{1'800'000'000}};
constexpr auto user = std::string_view{"01890a5d-ac96-774b-bcce-b302099a8057"};
constexpr auto usual_header = R"({"alg":"HS256","typ":"JWT"})";

// Made by another implementation of HS256 with the secret above.
constexpr auto foreign_anon_key =
    std::string_view{"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJzdXBhYmFzZS1kZW1"
                     "vIiwicm9sZSI6ImFub24iLCJleHAiOjE5ODM4MTI5OTZ9.CRXP1A7WOeoJeXxjNn"
                     "i43kdQwgnWNReilDMblYTn_I0"};
constexpr auto foreign_user_token =
    std::string_view{"eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiIsImtpZCI6IngifQ.eyJzdWIiOiIwM"
                     "Tg5MGE1ZC1hYzk2LTc3NGItYmNjZS1iMzAyMDk5YTgwNTciLCAicm9sZSI6ImF1d"
                     "GhlbnRpY2F0ZWQiLCJleHAiOjE5ODM4MTI5OTYuMH0.rRVF25RCBtOAR-vT1vsvf"
                     "bL1YiL5TnPeaQQm0eMTs38"};

[[nodiscard]] std::string base64(std::string_view bytes) {
  constexpr auto variant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
  auto text = std::string(sodium_base64_ENCODED_LEN(bytes.size(), variant), '\0');
  sodium_bin2base64(text.data(), text.size(),
                    reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                    variant);
  text.pop_back();
  return text;
}

[[nodiscard]] std::string signed_with(std::string_view key, std::string_view header,
                                      std::string_view payload) {
  const auto text = base64(header) + '.' + base64(payload);
  auto state = crypto_auth_hmacsha256_state{};
  crypto_auth_hmacsha256_init(
      &state, reinterpret_cast<const unsigned char*>(key.data()), key.size());
  crypto_auth_hmacsha256_update(
      &state, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  auto proof = std::string(crypto_auth_hmacsha256_BYTES, '\0');
  crypto_auth_hmacsha256_final(&state, reinterpret_cast<unsigned char*>(proof.data()));
  return text + '.' + base64(proof);
}

[[nodiscard]] std::string token(std::string_view payload) {
  return signed_with(secret, usual_header, payload);
}

/// Claims of a good user token with some replaced or (null) removed.
[[nodiscard]] std::string user_token(const json::object& changes) {
  auto claims = json::object{{"sub", user},
                             {"role", "authenticated"},
                             {"exp", 1'800'003'600},
                             {"iat", 1'800'000'000}};
  for (const auto& change : changes) {
    if (change.value().is_null())
      claims.erase(change.key());
    else
      claims[change.key()] = change.value();
  }
  return token(json::serialize(claims));
}

[[nodiscard]] std::string reason_of(std::string_view text) {
  const auto who = verify_token(text, secret, now);
  if (who)
    return "accepted";
  CHECK(who.error().code == errc::unauthenticated);
  CHECK_FALSE(who.error().what.empty());
  return who.error().reason;
}

[[nodiscard]] session_grant sample_grant() {
  auto grant = session_grant{};
  grant.user.id = *user_id::parse(user);
  grant.user.email = "a@b.c";
  grant.user.app_metadata = R"({"provider":"email","providers":["email"]})";
  grant.user.user_metadata = R"({"name":"Zoë \"Z\""})";
  grant.session = *auth_session_id::parse("01890a5d-ac96-774b-bcce-b302099a8058");
  grant.method = "password";
  grant.authenticated_at = sys_seconds{seconds{1'799'000'000}};
  return grant;
}

[[nodiscard]] json::object claims_of(std::string_view text) {
  const auto who = verify_token(text, secret, now);
  REQUIRE(who.has_value());
  return json::parse(who->claims).as_object();
}

TEST_CASE("a token of another implementation verifies") {
  const auto who = verify_token(foreign_anon_key, secret, now);
  REQUIRE(who.has_value());
  CHECK(who->role == db_role::anon);
  CHECK(who->claims == R"({"iss":"supabase-demo","role":"anon","exp":1983812996})");
  CHECK(who->expires == sys_seconds{seconds{1'983'812'996}});
  CHECK_FALSE(who->signed_in());
}

TEST_CASE("another order of the header and spaces in the payload are fine") {
  const auto who = verify_token(foreign_user_token, secret, now);
  REQUIRE(who.has_value());
  CHECK(who->role == db_role::authenticated);
  CHECK(who->user == *user_id::parse(user));
  CHECK(who->claims.starts_with(R"({"sub":"01890a5d-ac96-774b-bcce-b302099a8057",)"
                                R"("role":"authenticated","exp":)"));
}

TEST_CASE("an access token carries exactly the claims clients expect") {
  const auto text =
      make_access_token(sample_grant(), secret, "http://x/auth/v1", now, seconds{3600});
  CHECK(text.starts_with("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."));
  const auto expected = json::object{
      {"iss", "http://x/auth/v1"},
      {"sub", user},
      {"aud", "authenticated"},
      {"exp", 1'800'003'600},
      {"iat", 1'800'000'000},
      {"role", "authenticated"},
      {"email", "a@b.c"},
      {"phone", ""},
      {"app_metadata", {{"provider", "email"}, {"providers", json::array{"email"}}}},
      {"user_metadata", {{"name", "Zoë \"Z\""}}},
      {"session_id", "01890a5d-ac96-774b-bcce-b302099a8058"},
      {"aal", "aal1"},
      {"amr", json::array{{{"method", "password"}, {"timestamp", 1'799'000'000}}}},
      {"is_anonymous", false}};
  CHECK(claims_of(text) == expected);
}

TEST_CASE("a confirmed address shows in user_metadata") {
  auto grant = sample_grant();
  grant.user.email_confirmed_at = timestamp{now};
  const auto claims =
      claims_of(make_access_token(grant, secret, "i", now, seconds{3600}));
  CHECK(claims.at("user_metadata").at("email_verified").as_bool());
}

TEST_CASE("an access token verifies to the session's identity") {
  auto grant = sample_grant();
  grant.user.anonymous = true;
  const auto who = verify_token(
      make_access_token(grant, secret, "i", now, seconds{3600}), secret, now);
  REQUIRE(who.has_value());
  CHECK(who->role == db_role::authenticated);
  CHECK(who->user == grant.user.id);
  CHECK(who->session == grant.session);
  CHECK(who->email == "a@b.c");
  CHECK(who->anonymous);
  CHECK(who->expires == now + seconds{3600});
  CHECK(who->signed_in());
}

TEST_CASE("an API key holds its role for ten years and names no user") {
  for (const auto role : {db_role::anon, db_role::service_role}) {
    const auto key = make_api_key(role, secret, now);
    const auto who = verify_token(key, secret, now);
    REQUIRE(who.has_value());
    CHECK(who->role == role);
    CHECK_FALSE(who->signed_in());
    CHECK(who->session.none());
    const auto claims = json::parse(who->claims).as_object();
    CHECK(claims.size() == 4);
    CHECK(claims.at("role").as_string() == name(role));
    CHECK(claims.at("iat").as_int64() == 1'800'000'000);
    CHECK(verify_token(key, secret, now + seconds{315'000'000}).has_value());
    CHECK_FALSE(verify_token(key, secret, now + seconds{316'000'000}).has_value());
  }
}

TEST_CASE("a text without three parts is malformed and says how many it has") {
  CHECK(reason_of("") == "malformed");
  CHECK(reason_of("a") == "malformed");
  CHECK(reason_of("a.b") == "malformed");
  CHECK(reason_of("a.b.c.d") == "malformed");
  CHECK(reason_of("....") == "malformed");
  CHECK(verify_token("abc", secret, now).error().what ==
        "Expected 3 parts in JWT; got 1");
}

TEST_CASE("a token over 8 KiB is refused unread") {
  CHECK(reason_of(std::string(max_token_bytes + 1, '.')) == "malformed");
  const auto long_claims = [](std::size_t bytes) {
    return user_token({{"x", std::string(bytes, 'x')}});
  };
  CHECK(reason_of(long_claims(5900)) == "accepted");
  CHECK(reason_of(long_claims(6200)) == "malformed");
}

TEST_CASE("no algorithm but HS256 is accepted, whatever its spelling") {
  const auto payload = R"({"role":"service_role","exp":1900000000})";
  for (const auto* header :
       {R"({"alg":"none"})", R"({"alg":"None"})", R"({"alg":"RS256"})",
        R"({"alg":"ES256"})", R"({"alg":"HS384"})", R"({"alg":"hs256"})",
        R"({"alg":["HS256"]})", R"({"alg":null})", R"({"alg":0})", R"({})"}) {
    CAPTURE(header);
    CHECK(reason_of(signed_with(secret, header, payload)) == "signature");
  }
  const auto unsigned_token =
      base64(R"({"alg":"none","typ":"JWT"})") + '.' + base64(payload) + '.';
  CHECK(reason_of(unsigned_token) == "signature");
}

TEST_CASE("a header that is no JSON object is malformed") {
  const auto payload = R"({"role":"anon","exp":1900000000})";
  for (const auto* header : {"", "x", "[]", "\"HS256\"", "{\"alg\":\"HS256\"", "{}x"}) {
    CAPTURE(header);
    CHECK(reason_of(signed_with(secret, header, payload)) == "malformed");
  }
  CHECK(reason_of("!!!." + base64(payload) + ".AA") == "malformed");
}

TEST_CASE("critical extensions are refused, because none is understood") {
  CHECK(reason_of(signed_with(secret, R"({"alg":"HS256","crit":["exp"]})",
                              R"({"role":"anon","exp":1900000000})")) == "malformed");
}

TEST_CASE("one changed character anywhere breaks the token") {
  const auto good = user_token({});
  REQUIRE(reason_of(good) == "accepted");
  for (auto i = std::size_t{0}; i < good.size(); ++i) {
    auto bad = good;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    CAPTURE(i);
    CHECK(reason_of(bad) != "accepted");
  }
}

TEST_CASE("every shortened token is refused") {
  const auto good = user_token({});
  for (auto size = std::size_t{0}; size < good.size(); ++size) {
    CAPTURE(size);
    CHECK(reason_of(std::string_view{good}.substr(0, size)) != "accepted");
  }
}

TEST_CASE("another secret's signature does not verify, and an empty secret never") {
  const auto payload = R"({"role":"service_role","exp":1900000000})";
  CHECK(reason_of(signed_with("another secret", usual_header, payload)) == "signature");
  const auto keyless = signed_with("", usual_header, payload);
  CHECK(verify_token(keyless, "", now).error().reason == "signature");
}

TEST_CASE("padding, other alphabets and loose bits in the signature are refused") {
  const auto good = user_token({});
  CHECK(reason_of(good + "=") == "signature");
  CHECK(reason_of(good + "A") == "signature");
  CHECK(reason_of(good + " ") == "signature");
  // The last of 43 characters has two bits that belong to no byte.
  auto loose = good;
  loose.back() = static_cast<char>(loose.back() + 1);
  CHECK(reason_of(loose) == "signature");
}

TEST_CASE("a signed payload that is no JSON object is malformed") {
  for (const auto* payload :
       {"", "x", "[]", "1", "null", "{\"role\":\"anon\",\"exp\":1900000000",
        "{\"role\":\"anon\",\"exp\":1900000000,\"x\":\"\xff\"}"}) {
    CAPTURE(payload);
    CHECK(reason_of(token(payload)) == "malformed");
  }
}

TEST_CASE("a payload that nests too deep is malformed") {
  const auto nested = [](std::size_t depth) {
    return R"({"role":"anon","exp":1900000000,"x":)" + std::string(depth, '[') +
           std::string(depth, ']') + "}";
  };
  CHECK(reason_of(token(nested(max_json_depth - 1))) == "accepted");
  CHECK(reason_of(token(nested(max_json_depth + 1))) == "malformed");
  CHECK(reason_of(token(nested(2'500))) == "malformed");
}

TEST_CASE("a token ends at exp, without grace, and says how long ago") {
  CHECK(reason_of(user_token({{"exp", 1'800'000'001}})) == "accepted");
  CHECK(reason_of(user_token({{"exp", 1'800'000'000}})) == "expired");
  const auto late = user_token({{"exp", 1'799'999'958}});
  CHECK(verify_token(late, secret, now).error().what ==
        "Token has expired 42 seconds ago");
  CHECK(reason_of(user_token({{"exp", -5}})) == "expired");
}

TEST_CASE("exp must be there and be a whole number of sane size") {
  CHECK(reason_of(user_token({{"exp", nullptr}})) == "claims");
  CHECK(reason_of(user_token({{"exp", "1900000000"}})) == "claims");
  CHECK(reason_of(user_token({{"exp", true}})) == "claims");
  CHECK(reason_of(user_token({{"exp", 1'900'000'000.5}})) == "claims");
  CHECK(reason_of(user_token({{"exp", 1e300}})) == "claims");
  CHECK(reason_of(token(R"({"role":"anon","exp":1e999})")) == "claims");
  CHECK(reason_of(token(R"({"role":"anon","exp":18446744073709551615})")) == "claims");
  CHECK(reason_of(token(R"({"role":"anon","exp":9223372036854775807})")) == "claims");
  CHECK(reason_of(token(R"({"role":"anon","exp":null})")) == "claims");
  CHECK(reason_of(user_token({{"exp", 1'900'000'000.0}})) == "accepted");
}

TEST_CASE("nbf and iat may lie 30 seconds ahead, not more") {
  for (const auto* claim : {"nbf", "iat"}) {
    CAPTURE(claim);
    CHECK(reason_of(user_token({{claim, 1'800'000'030}})) == "accepted");
    CHECK(reason_of(user_token({{claim, 1'800'000'031}})) == "not_yet_valid");
    CHECK(reason_of(user_token({{claim, "soon"}})) == "claims");
    CHECK(reason_of(user_token({{claim, nullptr}})) == "accepted");
  }
}

TEST_CASE("the role must be one of ours") {
  CHECK(reason_of(user_token({{"role", nullptr}})) == "claims");
  CHECK(reason_of(user_token({{"role", ""}})) == "claims");
  CHECK(reason_of(user_token({{"role", "postgres"}})) == "claims");
  CHECK(reason_of(user_token({{"role", "Anon"}})) == "claims");
  CHECK(reason_of(user_token({{"role", 1}})) == "claims");
}

TEST_CASE("an authenticated user must have a UUID; other roles name no user") {
  CHECK(reason_of(user_token({{"sub", nullptr}})) == "claims");
  CHECK(reason_of(user_token({{"sub", "42"}})) == "claims");
  CHECK(reason_of(user_token({{"sub", 42}})) == "claims");
  CHECK(reason_of(user_token({{"sub", "00000000-0000-0000-0000-000000000000"}})) ==
        "claims");
  const auto who = verify_token(user_token({{"role", "service_role"}}), secret, now);
  REQUIRE(who.has_value());
  CHECK_FALSE(who->signed_in());
}

TEST_CASE("optional claims of a wrong type count as absent") {
  const auto who = verify_token(
      user_token(
          {{"session_id", 5}, {"email", json::object{}}, {"is_anonymous", "true"}}),
      secret, now);
  REQUIRE(who.has_value());
  CHECK(who->session.none());
  CHECK(who->email.empty());
  CHECK_FALSE(who->anonymous);
}

TEST_CASE("the claims keep what we do not know, quoted as JSON must be") {
  const auto who = verify_token(
      token(R"({ "role" : "anon", "exp":1900000000, "a'b" : "\"\\\n" })"), secret, now);
  REQUIRE(who.has_value());
  CHECK(who->claims == R"({"role":"anon","exp":1900000000,"a'b":"\"\\\n"})");
}

} // namespace
} // namespace jessica::wire

TEST_SUITE_END();
