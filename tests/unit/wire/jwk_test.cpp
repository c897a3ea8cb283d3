#include "tests/unit/wire/signed_tokens.hpp"
#include "wire/json_reader.hpp"
#include "wire/jwk.hpp"
#include "wire/key_ring.hpp"

#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>

#include <string>

TEST_SUITE_BEGIN("wire.jwk");

namespace jessica::wire {
namespace {

namespace json = boost::json;

const auto long_text = std::string(257, 'A');

[[nodiscard]] json::object object_of(std::string_view text) {
  auto parsed = parse_object(text);
  REQUIRE(parsed.has_value());
  return std::move(*parsed);
}

[[nodiscard]] result<jwk> read(std::string_view text, std::string_view member = "",
                               const json::value& value = nullptr) {
  auto fields = object_of(text);
  if (!member.empty() && value.is_null())
    fields.erase(member);
  else if (!member.empty())
    fields[member] = value;
  return jwk::read(fields);
}

[[nodiscard]] jwk good(std::string_view text) {
  auto key = read(text);
  REQUIRE_MESSAGE(key.has_value(), key.error().what);
  return std::move(*key);
}

} // namespace

TEST_CASE("a private key signs what its public one verifies") {
  for (const auto& [hidden, shown, size] :
       {std::tuple{test::ec_private, test::ec_public, 64U},
        std::tuple{test::rsa_private, test::rsa_public, 256U}}) {
    const auto mine = good(hidden);
    const auto theirs = good(shown);
    CHECK(mine.signs());
    CHECK_FALSE(theirs.signs());
    const auto proof = mine.sign("text");
    REQUIRE(proof.has_value());
    CHECK(proof->size() == size);
    CHECK(theirs.verifies("text", *proof));
    CHECK(mine.verifies("text", *proof));
    CHECK_FALSE(theirs.verifies("texT", *proof));
    auto bent = *proof;
    bent[10] = static_cast<char>(bent[10] ^ 1);
    CHECK_FALSE(theirs.verifies("text", bent));
    CHECK_FALSE(theirs.verifies("text", *proof + '\0'));
    CHECK_FALSE(theirs.verifies("text", proof->substr(1)));
    CHECK_FALSE(theirs.verifies("text", ""));
    CHECK(theirs.sign("text").error().code == errc::internal);
    CHECK(mine.public_part().sign("text").error().code == errc::internal);
  }
}

TEST_CASE("every one of many signatures on the curve is 64 bytes and verifies") {
  const auto key = good(test::ec_private);
  for (auto i = 0; i < 300; ++i) { // numbers with leading zeros among them
    const auto text = std::to_string(i);
    const auto proof = key.sign(text);
    REQUIRE(proof.has_value());
    CHECK(proof->size() == 64);
    CHECK(key.verifies(text, *proof));
  }
}

TEST_CASE("what is shown of a key is its public part only") {
  for (const auto& text : {test::ec_private, test::rsa_private}) {
    const auto shown = object_of(good(text).public_json());
    for (const auto* member : {"d", "p", "q", "dp", "dq", "qi", "k"})
      CHECK_FALSE(shown.contains(member));
    CHECK(shown.at("use").as_string() == "sig");
    const auto again = jwk::read(shown);
    REQUIRE(again.has_value());
    CHECK(again->kid() == good(text).kid());
  }
}

TEST_CASE("a key without an id gets its thumbprint") {
  // The example of RFC 7638, section 3.1.
  const auto key = good(
      R"({"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAt)"
      R"(VT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9y)"
      R"(BXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgd)"
      R"(AZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksI)"
      R"(NHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256"})");
  CHECK(key.kid() == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

TEST_CASE("keys that are too weak, of another kind or wrong are refused") {
  CHECK_FALSE(read(test::rsa_1024_public).has_value());
  CHECK_FALSE(read(test::p384_public).has_value());
  CHECK_FALSE(read(test::ec_public, "crv", "P-384").has_value());
  CHECK_FALSE(read(test::ec_public, "alg", "RS256").has_value());
  CHECK_FALSE(read(test::rsa_public, "alg", "HS256").has_value());
  CHECK_FALSE(read(test::rsa_public, "use", "enc").has_value());
  CHECK_FALSE(read(test::rsa_public, "kty", "oct").has_value());
  CHECK_FALSE(read(test::rsa_public, "kty").has_value());
  CHECK_FALSE(read(test::rsa_public, "n").has_value());
  CHECK_FALSE(read(test::rsa_public, "e").has_value());
  CHECK_FALSE(read(test::rsa_public, "e", "AA").has_value());
  CHECK_FALSE(read(test::rsa_public, "p", "AQAB").has_value()); // without d
  CHECK_FALSE(read(test::rsa_private, "d", "AQAB").has_value());
  CHECK_FALSE(read(test::rsa_private, "q").has_value());
  CHECK_FALSE(read(test::ec_public, "x", "AAAA").has_value());
  CHECK_FALSE(read(test::ec_public, "y",
                   json::string(std::string_view{long_text}.substr(0, 43)))
                  .has_value());
  CHECK_FALSE(read(test::ec_public, "kid", "").has_value());
  CHECK_FALSE(read(test::ec_public, "kid", 7).has_value());
  CHECK_FALSE(read(test::ec_public, "kid", json::string(long_text)).has_value());
  CHECK_FALSE(jwk::read({}).has_value());
}

TEST_CASE("a private number that is not this key's is refused, and not repeated") {
  const auto other = std::string(42, 'A') + "E";
  const auto refused = read(test::ec_private, "d", json::string(other));
  REQUIRE_FALSE(refused.has_value());
  CHECK_FALSE(refused.error().what.contains(other));
}

TEST_CASE("a shared secret verifies under its id and is shown to nobody") {
  const auto text =
      std::string{R"({"kty":"oct","kid":"old","k":")"} + std::string(43, 'A') + R"("})";
  const auto key = good(text);
  CHECK(key.secret() == std::string(32, '\0'));
  CHECK(key.public_json().empty());
  CHECK_FALSE(key.signs());
  CHECK_FALSE(key.verifies("", ""));
  CHECK(object_of(key.verifying_json()).at("k").as_string() == std::string(43, 'A'));
  CHECK_FALSE(read(text, "kid").has_value());
  CHECK_FALSE(read(text, "k", "AAAA").has_value());
}

TEST_CASE("a made key reads back, signs, and is another one each time") {
  const auto made = make_signing_jwk();
  REQUIRE(made.has_value());
  const auto key = good(*made);
  CHECK(key.algorithm() == token_algorithm::es256);
  CHECK(key.signs());
  CHECK(key.kid().size() == 43);
  CHECK(good(*make_signing_jwk()).kid() != key.kid());
}

TEST_CASE("of our own keys the first private one signs and all are shown") {
  const auto set = R"({"keys":[)" + std::string{test::rsa_public} + ',' +
                   std::string{test::ec_private} + R"(,{"kty":"oct","kid":"s","k":")" +
                   std::string(43, 'A') + R"("}]})";
  const auto ring = key_ring::read_own(set);
  REQUIRE_MESSAGE(ring.has_value(), ring.error().what);
  REQUIRE(ring->signer() != nullptr);
  CHECK(ring->signer()->kid() == "ec-1");
  REQUIRE(ring->find("rsa-1") != nullptr);
  CHECK(ring->find("rsa-1")->algorithm() == token_algorithm::rs256);
  CHECK(ring->find("") == nullptr);
  CHECK(ring->find("rsa-1 ") == nullptr);
  const auto shown = object_of(ring->public_json());
  CHECK(shown.at("keys").as_array().size() == 2);
  CHECK_FALSE(ring->public_json().contains("oct"));
  CHECK(key_ring::read_own(test::ec_private)->signer() != nullptr); // a key alone
  CHECK(key_ring::read_own(test::ec_public)->signer() == nullptr);
}

TEST_CASE("a set of our own with anything wrong in it is refused whole") {
  const auto one = std::string{test::ec_private};
  CHECK_FALSE(key_ring::read_own("").has_value());
  CHECK_FALSE(key_ring::read_own("{").has_value());
  CHECK_FALSE(key_ring::read_own("[]").has_value());
  CHECK_FALSE(key_ring::read_own(R"({"keys":[]})").has_value());
  CHECK_FALSE(key_ring::read_own(R"({"keys":[1]})").has_value());
  CHECK_FALSE(key_ring::read_own(R"({"keys":[)" + one + ',' + one + "]}").has_value());
  const auto second = key_ring::read_own(R"({"keys":[)" + one + ',' +
                                         std::string{test::rsa_1024_public} + "]}");
  REQUIRE_FALSE(second.has_value());
  CHECK(second.error().what.starts_with("key 2: "));
}

TEST_CASE("of a stranger's set the usable public keys are taken, and nothing signs") {
  const auto set =
      R"({"keys":[7,{"kty":"OKP"},{"kty":"oct","kid":"s","k":")" +
      std::string(43, 'A') + R"("},)" + std::string{test::rsa_1024_public} + ',' +
      std::string{test::ec_private} + ',' + std::string{test::rsa_public} + "]}";
  const auto ring = key_ring::read_public(set);
  REQUIRE(ring.has_value());
  CHECK(ring->all().size() == 2);
  CHECK(ring->signer() == nullptr);
  CHECK(ring->find("s") == nullptr);
  CHECK(key_ring::read_public(R"({"keys":[]})")->all().empty());
  CHECK_FALSE(key_ring::read_public("{}").has_value());
  CHECK_FALSE(key_ring::read_public("<html>").has_value());
}

} // namespace jessica::wire

TEST_SUITE_END();
