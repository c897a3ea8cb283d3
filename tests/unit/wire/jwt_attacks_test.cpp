// What OWASP's ASVS and RFC 8725 ask of whoever verifies tokens: each case is an
// attack.
#include "tests/unit/wire/signed_tokens.hpp"
#include "wire/base64url.hpp"
#include "wire/credentials.hpp"
#include "wire/json_reader.hpp"
#include "wire/jwt.hpp"
#include "wire/key_ring.hpp"
#include "wire/trusted_issuer.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>
#include <sodium.h>

#include <array>
#include <string>
#include <vector>

TEST_SUITE_BEGIN("wire.jwt_attacks");

namespace jessica::wire {
namespace {

namespace json = boost::json;
using std::chrono::seconds;
using std::chrono::sys_seconds;

constexpr auto now = sys_seconds{seconds{1'800'000'000}};
constexpr auto issuer = std::string_view{"https://issuer.test/auth/v1"};
constexpr auto good_claims = std::string_view{
    R"({"sub":"01890a5d-ac96-774b-bcce-b302099a8057","aud":"authenticated",)"
    R"("role":"authenticated","exp":1800003600})"};
const auto secret = std::string(40, 's');
const auto zero_secret = std::string(43, 'A'); // base64url of 32 zero bytes

[[nodiscard]] std::span<const unsigned char> bytes_of(std::string_view text) {
  return {reinterpret_cast<const unsigned char*>(text.data()), text.size()};
}

[[nodiscard]] std::string base64(std::string_view bytes) {
  auto text = std::string{};
  append_base64url(text, bytes_of(bytes));
  return text;
}

[[nodiscard]] std::string hs256(std::string_view header, std::string_view claims,
                                std::string_view key) {
  auto text = base64(header) + '.' + base64(claims);
  auto state = crypto_auth_hmacsha256_state{};
  auto proof = std::array<unsigned char, crypto_auth_hmacsha256_BYTES>{};
  crypto_auth_hmacsha256_init(&state, bytes_of(key).data(), key.size());
  crypto_auth_hmacsha256_update(&state, bytes_of(text).data(), text.size());
  crypto_auth_hmacsha256_final(&state, proof.data());
  text += '.';
  append_base64url(text, proof);
  return text;
}

[[nodiscard]] const key_ring& ours() {
  static const auto ring = *key_ring::read_own(
      R"({"keys":[)" + std::string{test::ec_private} + ',' +
      std::string{test::rsa_private} + R"(,{"kty":"oct","kid":"old","k":")" +
      zero_secret + R"("}]})");
  return ring;
}

/// Signed by the private key of this id, whatever the header says.
[[nodiscard]] std::string signed_by(std::string_view kid, std::string_view header,
                                    std::string_view claims = good_claims) {
  const auto text = base64(header) + '.' + base64(claims);
  return text + '.' + base64(*ours().find(kid)->sign(text));
}

[[nodiscard]] std::string header_of(std::string_view algorithm, std::string_view kid) {
  return R"({"alg":")" + std::string{algorithm} + R"(","kid":")" + std::string{kid} +
         R"("})";
}

[[nodiscard]] std::string outcome(const result<identity>& who) {
  if (who)
    return "accepted";
  CHECK(who.error().code == errc::unauthenticated);
  CHECK_FALSE(who.error().what.empty());
  return who.error().reason;
}

[[nodiscard]] std::string of(std::string_view token) {
  return outcome(verify_token(token, {secret, &ours(), nullptr}, now));
}

[[nodiscard]] std::string with_secret(std::string_view claims) {
  return of(hs256(R"({"alg":"HS256"})", claims, secret));
}

/// good_claims with one member more, which may be there twice then.
[[nodiscard]] std::string claims_and(std::string_view more) {
  return std::string{good_claims.substr(0, good_claims.size() - 1)} + ',' +
         std::string{more} + '}';
}

/// header.payload of a token and the bytes of its signature.
[[nodiscard]] std::pair<std::string, std::string> taken_apart(std::string_view token) {
  const auto dot = token.rfind('.');
  return {std::string{token.substr(0, dot)}, *decode_base64url(token.substr(dot + 1))};
}

} // namespace

TEST_CASE("tokens of another implementation verify by their key") {
  CHECK(of(test::es256_token) == "accepted");
  CHECK(of(test::rs256_token) == "accepted");
  const auto who = verify_token(test::es256_token, {{}, &ours(), nullptr}, now);
  REQUIRE(who.has_value());
  CHECK(who->user.str() == "01890a5d-ac96-774b-bcce-b302099a8057");
  CHECK_FALSE(who->session.none());
  CHECK_FALSE(who->foreign);
}

TEST_CASE("no signature at all, however it is spelled") {
  for (const auto* none : {"none", "None", "NONE", "nOnE", "", " none"})
    for (const auto* proof : {"", "AA"}) {
      const auto header = R"({"alg":")" + std::string{none} + R"("})";
      CHECK(of(base64(header) + '.' + base64(good_claims) + '.' + proof) ==
            "signature");
    }
}

TEST_CASE("a public key is no secret to sign with") {
  for (const auto key : {test::rsa_public_pem, test::rsa_public, test::ec_public})
    for (const auto* kid : {"rsa-1", "ec-1", "", "unknown"}) {
      CAPTURE(kid);
      CHECK(of(hs256(header_of("HS256", kid), good_claims, key)) == "signature");
    }
  const auto* const rsa = ours().find("rsa-1");
  CHECK(of(hs256(header_of("HS256", "rsa-1"), good_claims, rsa->public_json())) ==
        "signature");
  // Nor the empty text that a key without a secret has.
  CHECK(of(hs256(header_of("HS256", "rsa-1"), good_claims, "")) == "signature");
}

TEST_CASE("the algorithm is the key's, not the token's to choose") {
  REQUIRE(of(signed_by("ec-1", header_of("ES256", "ec-1"))) == "accepted");
  REQUIRE(of(signed_by("rsa-1", header_of("RS256", "rsa-1"))) == "accepted");
  CHECK(of(signed_by("ec-1", header_of("RS256", "ec-1"))) == "signature");
  CHECK(of(signed_by("rsa-1", header_of("ES256", "rsa-1"))) == "signature");
  CHECK(of(signed_by("rsa-1", header_of("PS256", "rsa-1"))) == "signature");
  CHECK(of(signed_by("rsa-1", header_of("RS512", "rsa-1"))) == "signature");
  CHECK(of(signed_by("ec-1", header_of("ES256", "rsa-1"))) == "signature");
  CHECK(of(signed_by("rsa-1", header_of("RS256", "old"))) == "signature");
}

TEST_CASE("a key that the token brings along counts for nothing") {
  const auto stranger = *make_signing_jwk();
  const auto key = *jwk::read(json::parse(stranger).as_object());
  for (const auto& more :
       {R"("jwk":)" + key.public_json(), std::string{R"("jku":"https://evil.test/k")"},
        std::string{R"("x5u":"https://evil.test/c")"},
        std::string{R"("x5c":["MIIB"],"x5t":"a","x5t#S256":"b")"}})
    for (const auto& kid : {std::string{"ec-1"}, key.kid()}) {
      const auto header = R"({"alg":"ES256","kid":")" + kid + "\"," + more + "}";
      const auto text = base64(header) + '.' + base64(good_claims);
      CHECK(of(text + '.' + base64(*key.sign(text))) == "signature");
      // Beside a good signature they are passed over.
      if (kid == "ec-1")
        CHECK(of(signed_by("ec-1", header)) == "accepted");
    }
}

TEST_CASE("extensions that must be understood are not") {
  for (const auto* crit : {R"(["exp"])", R"(["b64"],"b64":false)", "[]", "null"})
    CHECK(of(signed_by("ec-1", R"({"alg":"ES256","kid":"ec-1","crit":)" +
                                   std::string{crit} + "}")) == "malformed");
}

TEST_CASE("ids of keys are compared and nothing else") {
  for (const auto* kid :
       {"../../dev/null", "ec-1\\u0000", "' or 1=1 --", "|cat", "http://evil.test/",
        "ec-1 ", "EC-1", "\\u0065c-2", "%65c-1"}) {
    CAPTURE(kid);
    CHECK(of(signed_by("ec-1", header_of("ES256", kid))) == "signature");
  }
  CHECK(of(signed_by("ec-1", header_of("ES256", "\\u0065c-1"))) == "accepted");
  for (const auto* kid : {"7", "null", "[\"ec-1\"]", "{}"})
    CHECK(of(signed_by("ec-1", R"({"alg":"ES256","kid":)" + std::string{kid} + "}")) ==
          "signature");
  CHECK(of(signed_by("ec-1", R"({"alg":"ES256"})")) == "signature");
  CHECK(of(signed_by("ec-1", header_of("ES256", std::string(3000, 'k')))) ==
        "signature");
}

TEST_CASE("HS256 under an unknown id falls back to the secret, under a known one not") {
  CHECK(of(hs256(header_of("HS256", "unknown"), good_claims, secret)) == "accepted");
  CHECK(of(hs256(header_of("HS256", "old"), good_claims, secret)) == "signature");
  CHECK(of(hs256(header_of("HS256", "old"), good_claims, std::string(32, '\0'))) ==
        "accepted");
  CHECK(of(hs256(header_of("HS256", "ec-1"), good_claims, secret)) == "signature");
}

TEST_CASE("a signature of the right length but wrong is refused") {
  for (const auto token : {test::es256_token, test::rs256_token}) {
    const auto [text, proof] = taken_apart(token);
    for (const auto at : {std::size_t{0}, proof.size() / 2, proof.size() - 1}) {
      auto bent = proof;
      bent[at] = static_cast<char>(bent[at] ^ 1);
      CHECK(of(text + '.' + base64(bent)) == "signature");
    }
    CHECK(of(text + '.' + base64(std::string(proof.size(), '\0'))) == "signature");
    CHECK(of(text + '.' + base64(std::string(proof.size(), '\xff'))) == "signature");
    CHECK(of(text + '.' + base64(proof + '\0')) == "signature");
    CHECK(of(text + '.' + base64('\0' + proof)) == "signature");
    CHECK(of(text + '.' + base64(proof.substr(1))) == "signature");
    CHECK(of(text + '.') == "signature");
  }
}

TEST_CASE("on the curve r and s are 32 bytes each, in range, and never DER") {
  CHECK(of(test::es256_der_token) == "signature");
  const auto [text, proof] = taken_apart(test::es256_token);
  const auto zero = std::string(32, '\0');
  CHECK(of(text + '.' + base64(zero + zero)) == "signature");
  CHECK(of(text + '.' + base64(zero + proof.substr(32))) == "signature");
  CHECK(of(text + '.' + base64(proof.substr(0, 32) + zero)) == "signature");
  // r = s = the order of the curve, which is zero again
  const auto order = *decode_base64url("_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE");
  CHECK(of(text + '.' + base64(order + order)) == "signature");
  CHECK(of(text + '.' + base64(proof.substr(32) + proof.substr(0, 32))) == "signature");
}

TEST_CASE("each text has one spelling: padding, other alphabets, loose bits, tails") {
  const auto good = std::string{test::es256_token};
  for (const auto* tail : {"=", "==", "A", " ", "\n", ".", "\t", "%00"})
    CHECK(of(good + tail) != "accepted");
  CHECK(of(good + std::string(1, '\0')) != "accepted");
  for (const auto* front : {" ", "\n", ".", "Bearer "})
    CHECK(of(front + good) != "accepted");
  const auto text = taken_apart(good).first;
  auto ordinary = good;
  for (auto i = text.size(); i < ordinary.size(); ++i)
    ordinary[i] = ordinary[i] == '-' ? '+' : ordinary[i] == '_' ? '/' : ordinary[i];
  if (ordinary != good)
    CHECK(of(ordinary) != "accepted");
  auto loose = good; // 86 characters: the last one has four bits that belong to no byte
  loose.back() = static_cast<char>(loose.back() == 'z' ? '-' : loose.back() + 1);
  CHECK(of(loose) != "accepted");
}

TEST_CASE("huge tokens are refused before any work") {
  CHECK(of(std::string(max_token_bytes + 1, 'a')) == "malformed");
  CHECK(of(std::string(1 << 20, '.')) == "malformed");
  const auto wide = claims_and(R"("x":")" + std::string(5000, 'x') + '"');
  CHECK(of(signed_by("ec-1", header_of("ES256", "ec-1"), wide)) == "accepted");
}

TEST_CASE("a refresh token, an opaque key or nothing is no access token") {
  for (const auto* text : {"", "v1-abcdefghijkl", "sb_publishable_abcdefgh", "a.b",
                           "..", "null", "undefined", "[object Object]"})
    CHECK(of(text) == "malformed");
}

TEST_CASE("times: exp to the second, nbf and iat with 30 s of skew") {
  const auto timed = [](std::string_view claims) {
    return of(signed_by("ec-1", header_of("ES256", "ec-1"), claims));
  };
  const auto base = std::string{R"({"role":"anon","exp":)"};
  CHECK(timed(base + "1800000001}") == "accepted");
  CHECK(timed(base + "1800000000}") == "expired");
  CHECK(timed(base + "-1}") == "expired");
  CHECK(timed(R"({"role":"anon"})") == "claims");
  for (const auto* claim : {"nbf", "iat"}) {
    const auto with = base + "1800000100,\"" + claim + "\":";
    CHECK(timed(with + "1800000030}") == "accepted");
    CHECK(timed(with + "1800000031}") == "not_yet_valid");
    CHECK(timed(with + "\"1700000000\"}") == "claims");
  }
}

TEST_CASE("a token for somebody else is refused") {
  CHECK(with_secret(good_claims) == "accepted");
  for (const auto* other :
       {R"("another")", R"(["another"])", "[]", "7", "null", R"("Authenticated")",
        R"({"authenticated":1})", R"("service_role")", R"([["authenticated"]])"}) {
    CAPTURE(other);
    CHECK(with_secret(claims_and(R"("aud":)" + std::string{other})) == "claims");
  }
  CHECK(with_secret(claims_and(R"("aud":["another","authenticated"])")) == "accepted");
  CHECK(with_secret(R"({"role":"service_role","aud":"another","exp":1900000000})") ==
        "claims");
  CHECK(
      with_secret(R"({"role":"service_role","aud":"service_role","exp":1900000000})") ==
      "accepted");
  CHECK(with_secret(R"({"role":"anon","exp":1900000000})") == "accepted");
}

TEST_CASE("the subject must be a UUID, the role one of ours") {
  for (const auto* sub : {R"("")", R"("7")", "7", "null", "{}",
                          R"(["01890a5d-ac96-774b-bcce-b302099a8057"])",
                          R"("01890a5d-ac96-774b-bcce-b302099a8057'")",
                          R"("00000000-0000-0000-0000-000000000000")"})
    CHECK(with_secret(claims_and(R"("sub":)" + std::string{sub})) == "claims");
  for (const auto* role :
       {R"("postgres")", R"("supabase_admin")", R"("authenticator")",
        R"("Authenticated")", R"("authenticated ")", R"("authenticated\u0000")",
        R"("jessica_engine")", R"(["authenticated"])", "null", "1", "true", R"("")",
        R"("authenticated; set role postgres")"}) {
    CAPTURE(role);
    CHECK(with_secret(claims_and(R"("role":)" + std::string{role})) == "claims");
  }
}

TEST_CASE("of members that are there twice the last one counts, everywhere alike") {
  const auto token =
      hs256(R"({"alg":"none","alg":"HS256"})", claims_and(R"("role":"anon")"), secret);
  const auto who = verify_token(token, secret, now);
  REQUIRE(who.has_value());
  CHECK(who->role == db_role::anon);
  // What row security reads has it once, so it cannot read it differently.
  const auto claims = who->claims;
  CHECK(claims.find("\"role\"") == claims.rfind("\"role\""));
  CHECK(claims.contains(R"("role":"anon")"));
  CHECK(of(hs256(R"({"alg":"HS256","alg":"none"})", good_claims, secret)) ==
        "signature");
}

TEST_CASE("tokens of the trusted issuer verify by its keys, and by nothing of ours") {
  auto other = trusted_issuer{std::string{issuer}, ""};
  const auto by = token_keys{secret, &ours(), &other};
  // Our own ring has the key, but the token says it is the issuer's.
  CHECK(outcome(verify_token(test::es256_token, by, now)) == "signature");
  other.use(
      *key_ring::read_public(R"({"keys":[)" + std::string{test::ec_public} + "]}"));
  const auto who = verify_token(test::es256_token, by, now);
  REQUIRE(who.has_value());
  CHECK(who->foreign);
  CHECK(who->role == db_role::authenticated);
  CHECK(who->session.none());
  CHECK(who->claims.contains("session_id"));
  const auto as_issuer = claims_and(R"("iss":")" + std::string{issuer} + '"');
  CHECK(outcome(verify_token(hs256(R"({"alg":"HS256"})", as_issuer, secret), by,
                             now)) == "signature");
  CHECK(outcome(verify_token(hs256(R"({"alg":"HS256"})", as_issuer, ""), by, now)) ==
        "signature");
}

TEST_CASE("a token by the issuer's key must be of the issuer") {
  auto other = trusted_issuer{std::string{issuer}, std::string(32, 'o')};
  other.use(
      *key_ring::read_public(R"({"keys":[)" + std::string{test::ec_public} + "]}"));
  const auto by = token_keys{secret, nullptr, &other};
  const auto wrong = [&](std::string_view iss) {
    const auto claims = claims_and(R"("iss":)" + std::string{iss});
    CHECK(outcome(verify_token(signed_by("ec-1", header_of("ES256", "ec-1"), claims),
                               by, now)) == "signature");
    CHECK(outcome(verify_token(hs256(R"({"alg":"HS256"})", claims, other.secret()), by,
                               now)) == "signature");
  };
  wrong(R"("https://issuer.test/auth/v1/")");
  wrong(R"("https://ISSUER.test/auth/v1")");
  wrong(R"("https://evil.test/auth/v1")");
  wrong(R"(["https://issuer.test/auth/v1"])");
  wrong("null");
  const auto right = claims_and(R"("iss":")" + std::string{issuer} + '"');
  CHECK(outcome(verify_token(hs256(R"({"alg":"HS256"})", right, other.secret()), by,
                             now)) == "accepted");
}

TEST_CASE("the issuer vouches for people, not for the service role") {
  auto other = trusted_issuer{std::string{issuer}, std::string(32, 'o')};
  const auto claims =
      claims_and(R"("iss":")" + std::string{issuer} + R"(","role":"service_role")");
  CHECK(outcome(verify_token(hs256(R"({"alg":"HS256"})", claims, other.secret()),
                             {secret, nullptr, &other}, now)) == "claims");
}

TEST_CASE("only an unknown key of the issuer asks for a fetch, once") {
  auto other = trusted_issuer{std::string{issuer}, ""};
  const auto missed = [&] {
    return other.wait_for_miss({}, std::chrono::milliseconds{0});
  };
  const auto by = token_keys{secret, &ours(), &other};
  CHECK_FALSE(missed());
  (void)verify_token(signed_by("ec-1", header_of("ES256", "unknown")), by, now);
  CHECK_FALSE(missed()); // not its token
  (void)verify_token(test::es256_token, by, now);
  (void)verify_token(test::rs256_token, by, now);
  CHECK(missed());
  CHECK_FALSE(missed());
  other.use(
      *key_ring::read_public(R"({"keys":[)" + std::string{test::ec_public} + "]}"));
  (void)verify_token(test::es256_token, by, now);
  CHECK_FALSE(missed());
}

TEST_CASE("access tokens are signed by the private key, API keys by the secret") {
  auto known = credentials{secret, "", ""};
  auto grant = session_grant{};
  grant.user.id = *user_id::parse("01890a5d-ac96-774b-bcce-b302099a8057");
  const auto make = [&] {
    return *make_access_token(grant, known, "i", now, seconds{99});
  };
  CHECK(verify_token(make(), secret, now).has_value());
  for (const auto key : {test::ec_private, test::rsa_private}) {
    known.keys = std::make_shared<const key_ring>(*key_ring::read_own(key));
    const auto token = make();
    CHECK_FALSE(verify_token(token, secret, now).has_value());
    const auto who = verify_token(token, {{}, known.keys.get(), nullptr}, now);
    REQUIRE(who.has_value());
    CHECK(who->user == grant.user.id);
  }
  known.keys = std::make_shared<const key_ring>(*key_ring::read_own(test::ec_public));
  CHECK(verify_token(make(), secret, now).has_value()); // nothing to sign with
}

} // namespace jessica::wire

TEST_SUITE_END();
