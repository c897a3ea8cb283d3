// Before and after every route: who asks, in which words a refusal is told, and the
// headers a browser needs to see the answer.
#pragma once

#include "domain/error.hpp"
#include "domain/identity.hpp"
#include "net/http_message.hpp"
#include "wire/credentials.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace jessica::net {

/// Who may call a route.
enum class caller : std::uint8_t {
  anyone,     ///< no key asked for
  key_holder, ///< an API key; a bearer token is not looked at (sign-in, refresh)
  principal,  ///< an API key, and the bearer token when there is one must be good
  user,       ///< a signed-in user's bearer token, beside the API key
  bearer,     ///< a user or the service role, by the bearer token alone
  service     ///< the service role, by key or token
};

/// Whose clients a path belongs to: each API words its errors differently.
enum class api : std::uint8_t { auth, rest, functions, openai, other, page };

/// By the first segments; page: none of ours, a file may have this name.
[[nodiscard]] api api_of(std::string_view path) noexcept;

/// The identity a route runs as. The key is the header `apikey`, or for GET the query
/// parameter. Fails: unauthenticated (reasons of wire::resolve_principal, no_bearer for
/// a missing token, no_user for a token or key without a user (or of no service);
/// claims for a user of the trusted issuer under /auth/v1, where accounts are ours);
/// forbidden (service_only).
[[nodiscard]] result<identity> admit(const http_request& what, caller allowed,
                                     const wire::credentials& known,
                                     bool require_apikey, std::chrono::sys_seconds now);

/// The user of the bearer token, whatever key the request carries: for requests that
/// were made to somebody else. Fails as admit does.
[[nodiscard]] result<identity> admit_bearer(const http_request& what,
                                            const wire::credentials& known,
                                            std::chrono::sys_seconds now);

/// The error as the path's API words it. Logs what is our own fault.
[[nodiscard]] http_response refuse(const error& what, const http_request& asked,
                                   bool signed_in);

/// A refusal that no other API shares: a feature that is off, a path that is unknown.
struct refusal {
  int status = 400;
  std::string_view code;
  std::string message;
};
/// In the shape /auth/v1 asks for when it is one of its paths, else {code, message}.
[[nodiscard]] http_response refuse(const refusal& what, const http_request& asked);

/// A browser's question before the real request; nullopt: this is no preflight.
[[nodiscard]] std::optional<http_response> preflight(const http_request& what);

/// Lets pages of any origin read the answer.
void add_cors(http_response& answer);

} // namespace jessica::net
