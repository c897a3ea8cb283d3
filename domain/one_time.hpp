// One-time codes and links as the auth API names them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace jessica {

/// What a client says it verifies. The first two are one kind of code, and so are the
/// next two; `email` takes either.
enum class verify_type : std::uint8_t {
  signup,
  invite,
  magiclink,
  recovery,
  email,
  email_change
};

/// What an app keeps the secret of, so that a link's redirect serves nobody else (RFC
/// 7636).
struct pkce_challenge {
  std::string text;
  bool hashed = true; ///< s256; else plain
};

/// Where the link in an e-mail leads.
struct link_plan {
  std::string verify_url;  ///< first: this server's /auth/v1/verify
  std::string redirect_to; ///< then: allowed, without control characters
  std::optional<pkce_challenge> pkce;
};

/// What a client presents: a code with the address it went to, or a link's token.
struct presented_code {
  verify_type type = verify_type::email;
  std::string email; ///< empty: `secret` is a token
  std::string secret;
};

} // namespace jessica
