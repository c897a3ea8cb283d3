#include "net/session_response.hpp"

#include "net/gate.hpp"
#include "net/routes.hpp"
#include "wire/auth_json.hpp"
#include "wire/jwt.hpp"

namespace jessica::net {
namespace {

[[nodiscard]] std::string issuer(const config::net_settings& net) {
  auto url = net.public_url;
  while (url.ends_with('/'))
    url.pop_back();
  return url + "/auth/v1";
}

[[nodiscard]] result<std::string> token_at(const session_grant& granted,
                                           const backend& with,
                                           std::chrono::sys_seconds at) {
  return wire::make_access_token(granted, with.credentials, issuer(with.settings.net),
                                 at, with.settings.auth.token_lifetime);
}

} // namespace

result<session_tokens> make_tokens(const session_grant& granted, const backend& with) {
  const auto at = now();
  const auto lifetime = with.settings.auth.token_lifetime;
  return token_at(granted, with, at).transform([&](std::string token) {
    return session_tokens{std::move(token), lifetime.count(),
                          (at + lifetime).time_since_epoch().count()};
  });
}

http_response session_response(const result<session_grant>& granted,
                               const http_request& asked, const backend& with,
                               const std::optional<password_weakness>& weak) {
  if (!granted)
    return refuse(granted.error(), asked, false);
  const auto at = now();
  const auto token = token_at(*granted, with, at);
  if (!token)
    return refuse(token.error(), asked, false);
  return json_response(200,
                       wire::session_json(*granted, *token, at,
                                          with.settings.auth.token_lifetime, weak));
}

} // namespace jessica::net
