#include "wire/jwt.hpp"

#include "wire/auth_json.hpp"
#include "wire/base64url.hpp"
#include "wire/credentials.hpp"
#include "wire/json_reader.hpp"
#include "wire/json_writer.hpp"
#include "wire/key_ring.hpp"
#include "wire/token_claims.hpp"
#include "wire/trusted_issuer.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <span>
#include <utility>

namespace jessica::wire {
namespace json = boost::json;
namespace {

constexpr auto api_key_lifetime = std::chrono::years{10};

/// base64url of {"alg":"HS256","typ":"JWT"}: the header of nearly every token.
constexpr auto usual_header = std::string_view{"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"};

using signature = std::array<unsigned char, crypto_auth_hmacsha256_BYTES>;

struct token_parts {
  std::string_view header;
  std::string_view payload;
  std::string_view signature;
  std::string_view signed_text; ///< header, dot, payload
};

[[nodiscard]] std::unexpected<error> refuse(std::string_view reason, std::string what) {
  return fail(errc::unauthenticated, std::move(what), std::string{reason});
}

[[nodiscard]] result<token_parts> split(std::string_view token) {
  if (token.size() > max_token_bytes)
    return refuse("malformed", "JWT is too long");
  const auto parts = std::ranges::count(token, '.') + 1;
  if (parts != 3)
    return refuse("malformed", "Expected 3 parts in JWT; got " + std::to_string(parts));
  const auto first = token.find('.');
  const auto second = token.find('.', first + 1);
  return token_parts{token.substr(0, first),
                     token.substr(first + 1, second - first - 1),
                     token.substr(second + 1), token.substr(0, second)};
}

[[nodiscard]] std::span<const unsigned char> bytes_of(std::string_view text) {
  return {reinterpret_cast<const unsigned char*>(text.data()), text.size()};
}

[[nodiscard]] signature sign(std::string_view text, std::string_view secret) {
  auto state = crypto_auth_hmacsha256_state{};
  crypto_auth_hmacsha256_init(&state, bytes_of(secret).data(), secret.size());
  crypto_auth_hmacsha256_update(&state, bytes_of(text).data(), text.size());
  auto made = signature{};
  crypto_auth_hmacsha256_final(&state, made.data());
  return made;
}

struct token_header {
  token_algorithm algorithm = token_algorithm::hs256;
  std::string kid;
};

[[nodiscard]] std::unexpected<error> no_suitable_key() {
  return refuse("signature", "No suitable key or wrong key type");
}

[[nodiscard]] std::unexpected<error> broken_signature() {
  return refuse("signature", "JWT cryptographic operation failed");
}

/// The text of a member; empty when absent, nullopt when it is no text.
[[nodiscard]] std::optional<std::string_view> text_of(const json::object& fields,
                                                      std::string_view member) {
  const auto* const found = fields.if_contains(member);
  if (found == nullptr)
    return std::string_view{};
  if (!found->is_string())
    return std::nullopt;
  return std::string_view{found->get_string()};
}

[[nodiscard]] result<token_header> read_header(std::string_view header) {
  if (header == usual_header)
    return token_header{};
  const auto text = decode_base64url(header);
  const auto parsed = text ? parse_json(*text) : fail(errc::invalid_input, "");
  if (!parsed || !parsed->is_object())
    return refuse("malformed", "JWT header is not base64url of a JSON object");
  const auto& fields = parsed->get_object();
  // Extensions that must be understood (RFC 7515, 4.1.11): we know none.
  if (fields.contains("crit"))
    return refuse("malformed", "JWT has critical extensions");
  const auto algorithm = parse_algorithm(text_of(fields, "alg").value_or(""));
  const auto kid = text_of(fields, "kid");
  if (!algorithm || !kid)
    return no_suitable_key();
  return token_header{*algorithm, std::string{*kid}};
}

[[nodiscard]] result<void> check_secret(const token_parts& token,
                                        std::string_view proof,
                                        std::string_view secret) {
  // With no secret anybody could sign.
  if (secret.empty() || proof.size() != signature{}.size())
    return broken_signature();
  const auto expected = sign(token.signed_text, secret);
  if (sodium_memcmp(proof.data(), expected.data(), expected.size()) != 0)
    return broken_signature();
  return {};
}

/// The algorithm is the key's, not the token's to choose: a public key is no secret.
[[nodiscard]] result<void> check_signature(const token_parts& token,
                                           const token_header& header,
                                           const token_keys& by) {
  const auto* const key = by.keys != nullptr ? by.keys->find(header.kid) : nullptr;
  const auto by_secret = header.algorithm == token_algorithm::hs256;
  if (key != nullptr ? key->algorithm() != header.algorithm : !by_secret)
    return no_suitable_key();
  const auto proof = decode_base64url(token.signature);
  if (!proof)
    return broken_signature();
  if (by_secret)
    return check_secret(token, *proof, key != nullptr ? key->secret() : by.secret);
  return key->verifies(token.signed_text, *proof) ? result<void>{} : broken_signature();
}

/// As check_signature, by the keys of the issuer.
[[nodiscard]] result<void> check_trusted(const token_parts& token,
                                         const token_header& header,
                                         trusted_issuer& by) {
  const auto keys = by.keys();
  if (header.algorithm != token_algorithm::hs256 && !header.kid.empty() &&
      keys->find(header.kid) == nullptr)
    by.miss();
  return check_signature(token, header, {by.secret(), keys.get(), nullptr});
}

[[nodiscard]] result<identity> as_foreign(result<identity> who) {
  if (!who)
    return who;
  if (who->role == db_role::service_role)
    return refuse("claims", "role claim is not the issuer's to give");
  who->foreign = true;
  who->session = {};
  return who;
}

/// Header and payload: what is signed.
[[nodiscard]] std::string unsigned_token(std::string_view header,
                                         std::string_view claims) {
  auto token = std::string{header};
  constexpr auto longest_proof = std::size_t{700}; // RSA with 4096 bits
  token.reserve(header.size() + claims.size() * 4 / 3 + longest_proof);
  token += '.';
  append_base64url(token, bytes_of(claims));
  return token;
}

[[nodiscard]] std::string make_token(std::string_view claims, std::string_view secret) {
  auto token = unsigned_token(usual_header, claims);
  const auto proof = sign(token, secret);
  token += '.';
  append_base64url(token, proof);
  return token;
}

[[nodiscard]] result<std::string> make_token(std::string_view claims, const jwk& key) {
  auto header = object_writer{};
  header.text("alg", name(key.algorithm())).text("typ", "JWT");
  auto kid = std::string{};
  append_quoted(kid, key.kid());
  header.json("kid", kid);
  auto encoded = std::string{};
  append_base64url(encoded, bytes_of(header.done()));
  auto token = unsigned_token(encoded, claims);
  const auto proof = key.sign(token);
  if (!proof)
    return std::unexpected{proof.error()};
  token += '.';
  append_base64url(token, bytes_of(*proof));
  return token;
}

[[nodiscard]] std::string sign_in_methods(const session_grant& grant) {
  auto method = object_writer{};
  method.text("method", grant.method)
      .number("timestamp", grant.authenticated_at.time_since_epoch().count());
  return '[' + method.done() + ']';
}

[[nodiscard]] std::string access_claims(const session_grant& grant,
                                        std::string_view issuer,
                                        std::chrono::sys_seconds now,
                                        std::chrono::seconds lifetime) {
  const auto& user = grant.user;
  auto claims = object_writer{1024};
  claims.text("iss", issuer)
      .text("sub", user.id.str())
      .text("aud", "authenticated")
      .number("exp", (now + lifetime).time_since_epoch().count())
      .number("iat", now.time_since_epoch().count())
      .text("role", grant.user.role)
      .text("email", user.email)
      .text("phone", "")
      .json("app_metadata", user.app_metadata)
      .json("user_metadata", user_metadata_json(user))
      .text("session_id", grant.session.str())
      .text("aal", "aal1")
      .json("amr", sign_in_methods(grant))
      .flag("is_anonymous", user.anonymous);
  return claims.done();
}

} // namespace

result<identity> verify_token(std::string_view token, const token_keys& by,
                              std::chrono::sys_seconds now) {
  const auto parts = split(token);
  if (!parts)
    return std::unexpected{parts.error()};
  const auto header = read_header(parts->header);
  if (!header)
    return std::unexpected{header.error()};
  const auto foreign =
      by.trusted != nullptr && names_issuer(parts->payload, by.trusted->name());
  auto proof = foreign ? check_trusted(*parts, *header, *by.trusted)
                       : check_signature(*parts, *header, by);
  if (!proof)
    return std::unexpected{std::move(proof.error())};
  auto who = read_claims(parts->payload, now);
  return foreign ? as_foreign(std::move(who)) : who;
}

result<identity> verify_token(std::string_view token, std::string_view secret,
                              std::chrono::sys_seconds now) {
  return verify_token(token, token_keys{secret, nullptr, nullptr}, now);
}

result<std::string> make_access_token(const session_grant& grant, const credentials& by,
                                      std::string_view issuer,
                                      std::chrono::sys_seconds now,
                                      std::chrono::seconds lifetime) {
  const auto* const key = by.keys ? by.keys->signer() : nullptr;
  const auto claims = access_claims(grant, issuer, now, lifetime);
  return key != nullptr ? make_token(claims, *key) : make_token(claims, by.jwt_secret);
}

std::string make_access_token(const session_grant& grant, std::string_view secret,
                              std::string_view issuer, std::chrono::sys_seconds now,
                              std::chrono::seconds lifetime) {
  return make_token(access_claims(grant, issuer, now, lifetime), secret);
}

std::string make_api_key(db_role role, std::string_view secret,
                         std::chrono::sys_seconds now) {
  auto claims = object_writer{};
  claims.text("iss", "jessica")
      .text("role", name(role))
      .number("iat", now.time_since_epoch().count())
      .number("exp", (now + api_key_lifetime).time_since_epoch().count());
  return make_token(claims.done(), secret);
}

} // namespace jessica::wire
