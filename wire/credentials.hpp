// From the headers of a request to who asks: API key, bearer token, or both.
#pragma once

#include "domain/error.hpp"
#include "domain/identity.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace jessica::wire {

class key_ring;
class trusted_issuer;

/// The secrets a server recognises its callers by.
struct credentials {
  std::string jwt_secret;
  std::string publishable_key;                  ///< opaque, anon
  std::string secret_key;                       ///< opaque, service_role
  std::shared_ptr<const key_ring> keys = {};    ///< of ES256 and RS256; null: none
  std::shared_ptr<trusted_issuer> trusted = {}; ///< null: only our own tokens
};

/// Who a token names: verify_token with all the keys we have. What this thread verified
/// lately is remembered until it expires or the keys change, so a token costs its
/// signature once.
[[nodiscard]] result<std::shared_ptr<const identity>>
verified(const credentials& known, std::string_view token,
         std::chrono::sys_seconds now);

/// An API key (a JWT whose role is anon or service_role, or an opaque key compared in
/// constant time). Fails: unauthenticated, reasons as verify_token, plus `api_key` (an
/// unknown opaque key, or a user's token) and `no_api_key` (empty).
[[nodiscard]] result<identity> resolve_api_key(const credentials& known,
                                               std::string_view key,
                                               std::chrono::sys_seconds now);

/// The principal of a request: the bearer token's identity, else the API key's, else
/// anon. A bearer that starts with sb_ counts as an API key. `apikey` empty and
/// `require_apikey`: unauthenticated, reason no_api_key; a bad one: reason api_key. A
/// present but bad bearer fails with the reasons of verify_token.
[[nodiscard]] result<identity> resolve_principal(const credentials& known,
                                                 std::string_view apikey,
                                                 std::optional<std::string_view> bearer,
                                                 bool require_apikey,
                                                 std::chrono::sys_seconds now);

} // namespace jessica::wire
