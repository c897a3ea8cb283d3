// /functions/v1/auth-proxy: who a request is from, for other servers and for nginx.
#include "net/recently.hpp"
#include "net/routes.hpp"
#include "wire/json_writer.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace jessica::net {

namespace {

/// So long a login that has ended may still pass.
constexpr auto trusted_for = std::chrono::seconds{5};
constexpr auto most_remembered = std::size_t{10'000};

/// Logins that were live lately. Each reactor is one thread and has its own.
[[nodiscard]] recently<login>& live_logins() {
  thread_local auto logins = recently<login>{trusted_for, most_remembered};
  return logins;
}

/// A proxy hands the challenge on to its client.
[[nodiscard]] http_response with_challenge(http_response answer) {
  if (answer.status == 401)
    answer.headers.emplace_back("WWW-Authenticate", "Bearer");
  answer.headers.emplace_back("Cache-Control", "no-store");
  return answer;
}

/// Why this login may not pass any more; nullopt: it may.
[[nodiscard]] std::optional<refusal> ending_of(const actors::ended_logins& found) {
  if (found.what.empty())
    return std::nullopt;
  if (found.what.front().what == access_change::kind::signed_out)
    return refusal{401, "session_ended", "The session has ended"};
  return refusal{403, "user_banned", "The user is banned or deleted"};
}

[[nodiscard]] http_response tell(const identity& who) {
  auto body = wire::object_writer{};
  body.text("user_id", who.user.str());
  if (who.session.none())
    body.json("session_id", "null");
  else
    body.text("session_id", who.session.str());
  body.text("role", name(who.role))
      .text("email", who.email)
      .number("expires_at", std::int64_t{who.expires.time_since_epoch().count()});
  auto answer = json_response(200, body.done());
  answer.headers.emplace_back("X-User-Id", who.user.str());
  answer.headers.emplace_back("X-User-Role", name(who.role));
  return answer;
}

/// Who the bearer token says the caller is; in headers too, for a proxy's sub-request.
/// The session must be live: the database is asked, seldom.
answering auth_proxy(const admitted& what, call in) {
  const auto who = admit_bearer(what.request, in.with.credentials, now());
  if (!who)
    co_return with_challenge(refuse(who.error(), what.request, false));
  const auto asked = login_of(*who);
  const auto moment = std::chrono::steady_clock::now();
  if (!live_logins().saw(asked, moment)) {
    const auto ended = co_await in.actors.ask<actors::ended_logins>(
        in.with.readers, actors::find_ended{{asked}},
        in.with.settings.net.request_timeout);
    if (!ended)
      co_return with_challenge(refuse(ended.error(), what.request, true));
    if (const auto why = ending_of(*ended))
      co_return with_challenge(refuse(*why, what.request));
    live_logins().see(asked, moment);
  }
  co_return with_challenge(tell(*who));
}

constexpr auto routes = std::to_array<route>({
    {"*", "/functions/v1/auth-proxy", caller::anyone, auth_proxy},
});

} // namespace

std::span<const route> auth_proxy_routes() {
  return routes;
}

} // namespace jessica::net
