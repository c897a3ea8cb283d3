#include "net/gate.hpp"

#include "ops/log.hpp"
#include "wire/json_writer.hpp"
#include "wire/openai_problem.hpp"
#include "wire/problem.hpp"
#include "wire/rest_query.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace jessica::net {

namespace {

constexpr auto api_version = std::string_view{"2024-01-01"};
/// A path in a log line is cut here.
constexpr auto shown_path_bytes = std::size_t{256};

constexpr auto exposed_headers = std::string_view{
    "content-range, content-location, content-profile, location, preference-applied, "
    "x-total-count, link, x-supabase-api-version, x-sb-error-code, x-relay-error, "
    "retry-after, date, server"};

constexpr auto prefixes = std::to_array<std::pair<std::string_view, api>>({
    {"/auth/v1", api::auth},
    {"/rest/v1", api::rest},
    {"/functions/v1", api::functions},
    {"/v1", api::openai},
    {"/storage/v1", api::other},
    {"/realtime/v1", api::other},
    {"/graphql/v1", api::other},
});

/// The token of "Bearer <token>"; another scheme counts as no token.
[[nodiscard]] std::optional<std::string_view> bearer_of(const http_request& what) {
  constexpr auto scheme = std::string_view{"bearer "};
  auto value = what.header("authorization");
  const auto same = [](char a, char b) {
    return a == (b >= 'A' && b <= 'Z' ? static_cast<char>(b - 'A' + 'a') : b);
  };
  if (!std::ranges::equal(scheme, value.substr(0, scheme.size()), same))
    return std::nullopt;
  value.remove_prefix(scheme.size());
  while (value.starts_with(' '))
    value.remove_prefix(1);
  return value.empty() ? std::nullopt : std::optional{value};
}

[[nodiscard]] std::string api_key_of(const http_request& what) {
  if (what.has("apikey") || (what.method != "GET" && what.method != "HEAD") ||
      !what.query.contains("apikey="))
    return std::string{what.header("apikey")};
  const auto parameters = wire::decode_query(what.query);
  if (!parameters)
    return {};
  const auto found = std::ranges::find(*parameters, "apikey",
                                       [](const auto& pair) { return pair.first; });
  return found == parameters->end() ? std::string{} : found->second;
}

[[nodiscard]] bool versioned(const http_request& what) {
  const auto asked = what.header("x-supabase-api-version");
  return asked.size() == api_version.size() && asked >= api_version;
}

void log_own_fault(const error& what, const http_request& asked) {
  const auto path = std::string_view{asked.path}.substr(0, shown_path_bytes);
  if (what.code == errc::internal)
    ops::error("request.failed",
               {{"path", path}, {"code", name(what.code)}, {"cause", what.what}});
  else if (what.code == errc::unavailable || what.code == errc::timeout)
    ops::warn("request.failed",
              {{"path", path}, {"code", name(what.code)}, {"cause", what.what}});
}

[[nodiscard]] wire::problem problem_of(const error& what, const http_request& asked,
                                       bool signed_in) {
  switch (api_of(asked.path)) {
  case api::auth:
    return wire::auth_problem(what, versioned(asked));
  case api::rest:
    return wire::rest_problem(what, signed_in);
  case api::openai:
    return wire::openai_problem(what);
  case api::functions:
  case api::other:
  case api::page:
    break;
  }
  return wire::function_problem(what);
}

} // namespace

api api_of(std::string_view path) noexcept {
  for (const auto& [prefix, which] : prefixes)
    if (path.starts_with(prefix) &&
        (path.size() == prefix.size() || path[prefix.size()] == '/'))
      return which;
  return api::page;
}

result<identity> admit(const http_request& what, caller allowed,
                       const wire::credentials& known, bool require_apikey,
                       std::chrono::sys_seconds now) {
  if (allowed == caller::anyone)
    return identity{};
  const auto key = api_key_of(what);
  require_apikey = require_apikey && allowed != caller::bearer;
  const auto bearer = allowed == caller::key_holder ? std::nullopt : bearer_of(what);
  auto who = wire::resolve_principal(known, key, bearer, require_apikey, now);
  if (!who)
    return who;
  if (allowed == caller::service && who->role != db_role::service_role)
    return fail(errc::forbidden, "not the service role", "service_only");
  if (allowed != caller::user && allowed != caller::bearer)
    return who;
  if (!bearer)
    return fail(errc::unauthenticated, "no bearer token", "no_bearer");
  const auto serves = allowed == caller::bearer && who->role == db_role::service_role;
  if (!who->signed_in() && !serves)
    return fail(errc::unauthenticated, "the token names no user", "no_user");
  if (who->foreign && api_of(what.path) == api::auth)
    return fail(errc::unauthenticated, "iss claim names another server", "claims");
  return who;
}

result<identity> admit_bearer(const http_request& what, const wire::credentials& known,
                              std::chrono::sys_seconds now) {
  const auto bearer = bearer_of(what);
  if (!bearer)
    return fail(errc::unauthenticated, "no bearer token", "no_bearer");
  auto who = wire::resolve_principal(known, {}, bearer, false, now);
  if (who && !who->signed_in())
    return fail(errc::unauthenticated, "the token names no user", "no_user");
  return who;
}

http_response refuse(const error& what, const http_request& asked, bool signed_in) {
  log_own_fault(what, asked);
  auto problem = problem_of(what, asked, signed_in);
  auto answer = http_response{problem.status, std::move(problem.headers),
                              std::move(problem.body)};
  answer.headers.emplace_back("Content-Type", api_of(asked.path) == api::rest
                                                  ? "application/json; charset=utf-8"
                                                  : "application/json");
  return answer;
}

http_response refuse(const refusal& what, const http_request& asked) {
  const auto for_auth = api_of(asked.path) == api::auth;
  auto body = wire::object_writer{};
  auto answer = http_response{};
  answer.status = what.status;
  answer.headers.emplace_back("Content-Type", "application/json");
  if (api_of(asked.path) == api::openai) {
    answer.body =
        wire::openai_error_json({what.status, what.code, what.message, std::string{}});
    return answer;
  }
  if (for_auth && !versioned(asked)) {
    body.number("code", what.status)
        .text("error_code", what.code)
        .text("msg", what.message);
    answer.headers.emplace_back("X-Sb-Error-Code", what.code);
  } else {
    body.text("code", what.code).text("message", what.message);
    if (for_auth)
      answer.headers.emplace_back("X-Supabase-Api-Version", api_version);
  }
  answer.body = body.done();
  return answer;
}

std::optional<http_response> preflight(const http_request& what) {
  if (what.method != "OPTIONS" || !what.has("origin") ||
      !what.has("access-control-request-method"))
    return std::nullopt;
  auto answer = http_response{};
  answer.status = 204;
  answer.headers = {
      {"Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"},
      {"Access-Control-Max-Age", "86400"},
      {"Vary", "Access-Control-Request-Headers"}};
  if (const auto asked = what.header("access-control-request-headers"); !asked.empty())
    answer.headers.emplace_back("Access-Control-Allow-Headers", asked);
  return answer;
}

void add_cors(http_response& answer) {
  answer.headers.emplace_back("Access-Control-Allow-Origin", "*");
  answer.headers.emplace_back("Access-Control-Expose-Headers", exposed_headers);
}

} // namespace jessica::net
