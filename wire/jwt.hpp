// JSON Web Tokens, HS256 (RFC 7515, 7519): made for users and keys, verified to
// identities.
#pragma once

#include "domain/account.hpp"
#include "domain/error.hpp"
#include "domain/identity.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace jessica::wire {

/// Longer tokens are refused unread.
inline constexpr auto max_token_bytes = std::size_t{8192};

/// Verifies signature (HS256 only, never `none`), exp, and iat/nbf when present (with
/// 30 s of skew; exp has none) and that `role` is one of ours; an authenticated user
/// must have a UUID as `sub`. Fails: unauthenticated with reason malformed | signature
/// | expired | not_yet_valid | claims and a `what` fit for the client; invalid tokens
/// never throw.
[[nodiscard]] result<identity> verify_token(std::string_view token,
                                            std::string_view secret,
                                            std::chrono::sys_seconds now);

/// An access token with the claims of docs/auth.md for the session.
[[nodiscard]] std::string make_access_token(const session_grant& grant,
                                            std::string_view secret,
                                            std::string_view issuer,
                                            std::chrono::sys_seconds now,
                                            std::chrono::seconds lifetime);

/// An API key: a token with only iss, role, iat and exp (ten years).
[[nodiscard]] std::string make_api_key(db_role role, std::string_view secret,
                                       std::chrono::sys_seconds now);

} // namespace jessica::wire
