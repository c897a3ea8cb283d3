#include "wire/jwt.hpp"

#include "wire/auth_json.hpp"
#include "wire/base64url.hpp"
#include "wire/json_reader.hpp"
#include "wire/json_writer.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/serialize.hpp>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

namespace jessica::wire {
namespace json = boost::json;
namespace {

constexpr auto clock_skew = std::chrono::seconds{30};
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

[[nodiscard]] result<void> check_header(std::string_view header) {
  if (header == usual_header)
    return {};
  const auto text = decode_base64url(header);
  const auto parsed = text ? parse_json(*text) : fail(errc::invalid_input, "");
  if (!parsed || !parsed->is_object())
    return refuse("malformed", "JWT header is not base64url of a JSON object");
  const auto& fields = parsed->get_object();
  // Extensions that must be understood (RFC 7515, 4.1.11): we know none.
  if (fields.contains("crit"))
    return refuse("malformed", "JWT has critical extensions");
  const auto* algorithm = fields.if_contains("alg");
  if (algorithm == nullptr || !algorithm->is_string() ||
      algorithm->get_string() != "HS256")
    return refuse("signature", "No suitable key or wrong key type");
  return {};
}

[[nodiscard]] result<void> check_signature(const token_parts& token,
                                           std::string_view secret) {
  const auto broken = [] {
    return refuse("signature", "JWT cryptographic operation failed");
  };
  const auto given = decode_base64url(token.signature);
  // With no secret anybody could sign.
  if (secret.empty() || !given || given->size() != signature{}.size())
    return broken();
  const auto expected = sign(token.signed_text, secret);
  if (sodium_memcmp(given->data(), expected.data(), expected.size()) != 0)
    return broken();
  return {};
}

/// A time claim: nullopt when absent. Fails: claims.
[[nodiscard]] result<std::optional<std::chrono::sys_seconds>>
time_claim(const json::object& claims, std::string_view name) {
  const auto* found = claims.if_contains(name);
  if (found == nullptr)
    return std::nullopt;
  const auto number = whole_number(*found);
  if (!number)
    return refuse("claims", std::string{name} + " claim must be a number");
  return std::chrono::sys_seconds{std::chrono::seconds{*number}};
}

/// Checks exp, nbf and iat; gives exp.
[[nodiscard]] result<std::chrono::sys_seconds>
check_times(const json::object& claims, std::chrono::sys_seconds now) {
  const auto expires = time_claim(claims, "exp");
  if (!expires)
    return std::unexpected{expires.error()};
  if (!*expires)
    return refuse("claims", "missing exp claim");
  if (now >= **expires) {
    const auto ago = std::to_string((now - **expires).count());
    return refuse("expired", "Token has expired " + ago + " seconds ago");
  }
  for (const auto name : {"nbf", "iat"}) {
    const auto from = time_claim(claims, name);
    if (!from)
      return std::unexpected{from.error()};
    if (*from && **from > now + clock_skew)
      return refuse("not_yet_valid", "JWT not yet valid");
  }
  return **expires;
}

[[nodiscard]] std::string_view text_claim(const json::object& claims,
                                          std::string_view name) {
  const auto* found = claims.if_contains(name);
  return found != nullptr && found->is_string() ? std::string_view{found->get_string()}
                                                : std::string_view{};
}

[[nodiscard]] std::optional<db_role> parse_role(std::string_view text) {
  for (const auto role :
       {db_role::anon, db_role::authenticated, db_role::service_role}) {
    if (text == name(role))
      return role;
  }
  return std::nullopt;
}

/// Who the claims of a user's token name.
[[nodiscard]] result<void> read_user(const json::object& claims, identity& who) {
  const auto user = user_id::parse(text_claim(claims, "sub"));
  if (!user || user->none())
    return refuse("claims", "missing sub claim");
  who.user = *user;
  who.session = auth_session_id::parse(text_claim(claims, "session_id"))
                    .value_or(auth_session_id{});
  who.email = text_claim(claims, "email");
  const auto* anonymous = claims.if_contains("is_anonymous");
  who.anonymous = anonymous != nullptr && anonymous->is_bool() && anonymous->get_bool();
  return {};
}

[[nodiscard]] result<identity> read_claims(std::string_view payload,
                                           std::chrono::sys_seconds now) {
  const auto text = decode_base64url(payload);
  if (!text)
    return refuse("malformed", "JWT payload is not base64url");
  auto space = std::array<unsigned char, 4096>{}; // holds the usual claims
  auto memory = json::monotonic_resource{space.data(), space.size()};
  const auto parsed = parse_json(*text, &memory);
  if (!parsed || !parsed->is_object())
    return refuse("malformed", "JWT payload is not a JSON object");
  const auto& claims = parsed->get_object();
  const auto expires = check_times(claims, now);
  if (!expires)
    return std::unexpected{expires.error()};
  const auto role = parse_role(text_claim(claims, "role"));
  if (!role)
    return refuse("claims", "missing or unknown role claim");
  auto who = identity{};
  who.role = *role;
  who.expires = *expires;
  if (who.role == db_role::authenticated) {
    if (auto user = read_user(claims, who); !user)
      return std::unexpected{std::move(user.error())};
  }
  who.claims = json::serialize(claims);
  return who;
}

[[nodiscard]] std::string make_token(std::string_view claims, std::string_view secret) {
  auto token = std::string{usual_header};
  token.reserve(usual_header.size() + claims.size() * 4 / 3 + 64);
  token += '.';
  append_base64url(token, bytes_of(claims));
  const auto proof = sign(token, secret);
  token += '.';
  append_base64url(token, proof);
  return token;
}

[[nodiscard]] std::string sign_in_methods(const session_grant& grant) {
  auto method = object_writer{};
  method.text("method", grant.method)
      .number("timestamp", grant.authenticated_at.time_since_epoch().count());
  return '[' + method.done() + ']';
}

} // namespace

result<identity> verify_token(std::string_view token, std::string_view secret,
                              std::chrono::sys_seconds now) {
  const auto parts = split(token);
  if (!parts)
    return std::unexpected{parts.error()};
  if (auto header = check_header(parts->header); !header)
    return std::unexpected{std::move(header.error())};
  if (auto proof = check_signature(*parts, secret); !proof)
    return std::unexpected{std::move(proof.error())};
  return read_claims(parts->payload, now);
}

std::string make_access_token(const session_grant& grant, std::string_view secret,
                              std::string_view issuer, std::chrono::sys_seconds now,
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
  return make_token(claims.done(), secret);
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
