// /auth/v1: accounts and sessions, what supabase.auth reaches.
#include "net/auth_limits.hpp"
#include "net/auth_request.hpp"
#include "net/routes.hpp"
#include "wire/auth_json.hpp"
#include "wire/jwt.hpp"

#include <array>
#include <format>
#include <optional>
#include <utility>

namespace jessica::net {

namespace {

[[nodiscard]] std::string issuer(const config::net_settings& net) {
  auto url = net.public_url;
  while (url.ends_with('/'))
    url.pop_back();
  return url + "/auth/v1";
}

/// SESSION, or what went wrong on the way to it.
[[nodiscard]] http_response
session_response(const result<session_grant>& granted, const http_request& asked,
                 const backend& with,
                 const std::optional<password_weakness>& weak = {}) {
  if (!granted)
    return refuse(granted.error(), asked, false);
  const auto at = now();
  const auto lifetime = with.settings.auth.token_lifetime;
  const auto token = wire::make_access_token(*granted, with.credentials.jwt_secret,
                                             issuer(with.settings.net), at, lifetime);
  return json_response(200, wire::session_json(*granted, token, at, lifetime, weak));
}

/// The switch that turns this sign-up away; empty: none.
[[nodiscard]] std::string_view sign_up_off(bool anonymous,
                                           const config::auth_settings& auth) {
  if (anonymous && !auth.anonymous_enabled)
    return "anonymous_provider_disabled";
  return auth.signup_enabled ? "" : "signup_disabled";
}

/// The 429 for who calls too often; nullopt: go on.
[[nodiscard]] std::optional<http_response> over(paced kind, const http_request& asked,
                                                const backend& with) {
  return with.limits ? with.limits->over(kind, asked) : std::nullopt;
}

answering sign_up(const admitted& what, call in) {
  const auto& asked = what.request;
  const auto& settings = in.with.settings;
  auto read = wire::read_sign_up(asked.body, policy_of(settings.auth));
  if (!read)
    co_return refuse(read.error(), asked, false);
  if (const auto off = sign_up_off(!read->email, settings.auth); !off.empty())
    co_return refuse_for(std::string{off}, errc::forbidden, asked);
  if (auto no = over(read->email ? paced::sign_up : paced::anonymous, asked, in.with))
    co_return std::move(*no);
  auto message = actors::sign_up{};
  message.what.email = std::move(read->email).value_or("");
  message.what.password = std::move(read->password);
  message.what.data = std::move(read->data);
  message.from = origin_of(asked);
  const auto granted = co_await in.actors.ask<session_grant>(
      in.with.accounts, std::move(message), settings.net.request_timeout);
  co_return session_response(granted, asked, in.with);
}

answering sign_in(const admitted& what, call in) {
  const auto& asked = what.request;
  auto read = wire::read_password(asked.body);
  if (!read)
    co_return refuse(read.error(), asked, false);
  const auto email = read->email;
  const auto& limits = in.with.limits;
  if (auto no = limits ? limits->over_attempts(email, asked) : std::nullopt)
    co_return std::move(*no);
  // Told only to who knows the password: what is refused says nothing of its strength.
  const auto weak = weakness_of(read->password, policy_of(in.with.settings.auth));
  auto message = actors::sign_in{std::move(read->email), std::move(read->password),
                                 origin_of(asked)};
  const auto granted = co_await in.actors.ask<session_grant>(
      in.with.accounts, std::move(message), in.with.settings.net.request_timeout);
  const auto wrong = !granted && granted.error().reason == "invalid_credentials";
  if (limits && !wrong)
    limits->forget_attempt(email);
  co_return session_response(granted, asked, in.with, weak);
}

answering refresh(const admitted& what, call in) {
  const auto& asked = what.request;
  auto read = wire::read_refresh_token(asked.body);
  if (!read)
    co_return refuse(read.error(), asked, false);
  auto message = actors::refresh_session{std::move(*read), origin_of(asked)};
  const auto granted = co_await in.actors.ask<session_grant>(
      in.with.accounts, std::move(message), in.with.settings.net.request_timeout);
  co_return session_response(granted, asked, in.with);
}

[[nodiscard]] http_response unknown_grant(std::string_view grant,
                                          const http_request& asked) {
  if (grant == "pkce")
    return refuse(refusal{404, "flow_state_not_found",
                          "invalid flow state, no valid flow state found"},
                  asked);
  if (grant == "id_token")
    return refuse(refusal{400, "provider_disabled", "Provider is not enabled"}, asked);
  if (grant == "web3")
    return refuse(refusal{422, "web3_provider_disabled", "Web3 provider is disabled"},
                  asked);
  return refuse_for("unsupported_grant_type", errc::invalid_input, asked);
}

answering token(const admitted& what, call in) {
  if (auto no = over(paced::token, what.request, in.with))
    co_return std::move(*no);
  const auto grant = query_value(what.request, "grant_type");
  if (grant == "password")
    co_return co_await sign_in(what, in);
  if (grant == "refresh_token")
    co_return co_await refresh(what, in);
  co_return unknown_grant(grant, what.request);
}

using storage::logout_scope;

[[nodiscard]] std::optional<logout_scope> parse_scope(std::string_view text) {
  if (text.empty() || text == "global")
    return logout_scope::global;
  if (text == "local")
    return logout_scope::local;
  if (text == "others")
    return logout_scope::others;
  return std::nullopt;
}

answering log_out(const admitted& what, call in) {
  const auto text = query_value(what.request, "scope");
  const auto scope = parse_scope(text);
  if (!scope)
    co_return refuse(refusal{400, "validation_failed",
                             std::format("Unsupported logout scope \"{}\"", text)},
                     what.request);
  const auto ended = co_await in.actors.ask<actors::done>(
      in.with.accounts, actors::sign_out{what.who.user, what.who.session, *scope},
      in.with.settings.net.request_timeout);
  if (!ended)
    co_return refuse(ended.error(), what.request, true);
  auto answer = http_response{};
  answer.status = 204;
  co_return answer;
}

answering health(const admitted&, call) {
  // Tools look for the name of the server whose API this is.
  co_return json_response(200, R"({"version":"jessica","name":"GoTrue",)"
                               R"("description":"Jessica's accounts"})");
}

answering settings(const admitted&, call in) {
  const auto& auth = in.with.settings.auth;
  co_return json_response(
      200, wire::settings_json(auth.signup_enabled, auth.anonymous_enabled));
}

/// Tokens are signed with a shared secret: there is no public key to show.
answering key_set(const admitted&, call) {
  auto answer = json_response(200, R"({"keys":[]})");
  answer.headers.emplace_back("Cache-Control", "public, max-age=600");
  co_return answer;
}

constexpr auto routes = std::to_array<route>({
    {"POST", "/auth/v1/signup", caller::key_holder, sign_up},
    {"POST", "/auth/v1/token", caller::key_holder, token},
    {"POST", "/auth/v1/logout", caller::user, log_out},
    {"GET", "/auth/v1/health", caller::key_holder, health},
    {"GET", "/auth/v1/settings", caller::key_holder, settings},
    {"GET", "/auth/v1/.well-known/jwks.json", caller::anyone, key_set},
});

} // namespace

std::span<const route> auth_routes() {
  return routes;
}

} // namespace jessica::net
