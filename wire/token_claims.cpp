#include "wire/token_claims.hpp"

#include "wire/base64url.hpp"
#include "wire/json_reader.hpp"

#include <boost/json/array.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace jessica::wire {
namespace json = boost::json;
namespace {

constexpr auto clock_skew = std::chrono::seconds{30};

[[nodiscard]] std::unexpected<error> refuse(std::string_view reason, std::string what) {
  return fail(errc::unauthenticated, std::move(what), std::string{reason});
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

/// Whom the token is for: nobody in particular, or us, under the name all Supabase
/// servers have or under that of its role.
[[nodiscard]] result<void> check_audience(const json::object& claims, db_role role) {
  const auto* const found = claims.if_contains("aud");
  const auto is_us = [&](const json::value& one) {
    return one.is_string() && (one.get_string() == name(db_role::authenticated) ||
                               one.get_string() == name(role));
  };
  if (found == nullptr || is_us(*found) ||
      (found->is_array() && std::ranges::any_of(found->get_array(), is_us)))
    return {};
  return refuse("claims", "aud claim names somebody else");
}

} // namespace

result<identity> read_claims(std::string_view payload, std::chrono::sys_seconds now) {
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
  if (auto audience = check_audience(claims, *role); !audience)
    return std::unexpected{std::move(audience.error())};
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

bool names_issuer(std::string_view payload, std::string_view issuer) {
  const auto text = decode_base64url(payload);
  const auto parsed = text ? parse_json(*text) : fail(errc::invalid_input, "");
  return parsed && parsed->is_object() && !issuer.empty() &&
         text_claim(parsed->get_object(), "iss") == issuer;
}

} // namespace jessica::wire
