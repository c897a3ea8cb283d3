// JSON Web Tokens (RFC 7515, 7519): made for users and keys, verified to identities.
#pragma once

#include "domain/account.hpp"
#include "domain/error.hpp"
#include "domain/identity.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace jessica::wire {

struct credentials;
class key_ring;
class trusted_issuer;

/// Longer tokens are refused unread.
inline constexpr auto max_token_bytes = std::size_t{8192};

/// What tokens are verified by. Keeps references.
struct token_keys {
  std::string_view secret;           ///< of HS256; empty: none verify
  const key_ring* keys = nullptr;    ///< of ES256 and RS256, by `kid`
  trusted_issuer* trusted = nullptr; ///< whose tokens verify by its own keys only
};

/// Verifies signature, exp, and iat/nbf when present (with 30 s of skew; exp has none),
/// `aud` when present (`authenticated` or the role) and that `role` is one of ours; an
/// authenticated user must have a UUID as `sub`.
///
/// The key: a token whose `iss` is the trusted issuer's verifies by that one's keys,
/// any other by ours. ES256 and RS256 need a known `kid` of their kind; HS256 takes the
/// secret unless its `kid` is a key's. `none`, `crit`, and keys that the token brings
/// along (jku, jwk, x5u, x5c) count for nothing. A user of the trusted issuer is
/// `foreign`, without a session; the service role is not its to give.
///
/// Fails: unauthenticated with reason malformed | signature | expired | not_yet_valid |
/// claims and a `what` fit for the client; invalid tokens never throw.
[[nodiscard]] result<identity> verify_token(std::string_view token,
                                            const token_keys& by,
                                            std::chrono::sys_seconds now);
/// By the secret alone.
[[nodiscard]] result<identity> verify_token(std::string_view token,
                                            std::string_view secret,
                                            std::chrono::sys_seconds now);

/// An access token with the claims of docs/auth.md for the session, signed by the
/// private one of our keys, or by the secret when there is none. Fails: internal.
[[nodiscard]] result<std::string> make_access_token(const session_grant& grant,
                                                    const credentials& by,
                                                    std::string_view issuer,
                                                    std::chrono::sys_seconds now,
                                                    std::chrono::seconds lifetime);
/// By the secret alone.
[[nodiscard]] std::string make_access_token(const session_grant& grant,
                                            std::string_view secret,
                                            std::string_view issuer,
                                            std::chrono::sys_seconds now,
                                            std::chrono::seconds lifetime);

/// An API key: a token with only iss, role, iat and exp (ten years).
[[nodiscard]] std::string make_api_key(db_role role, std::string_view secret,
                                       std::chrono::sys_seconds now);

} // namespace jessica::wire
