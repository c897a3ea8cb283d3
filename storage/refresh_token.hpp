// A refresh token: which session it belongs to, and a secret. Only its hash is stored.
// The next token of a session is made from the one before it and a stored salt: whoever
// presents a token can be told the newer ones (a client that lost an answer), while the
// database alone (hashes and salts) opens nothing, and nor does an old token alone.
#pragma once

#include "domain/ids.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jessica::storage {

class refresh_token {
public:
  /// The first token of a session.
  [[nodiscard]] static refresh_token make(auth_session_id session);
  /// Reads str()'s form; anything else is nullopt.
  [[nodiscard]] static std::optional<refresh_token> parse(std::string_view text);
  /// A salt for next(): 256 random bits in hex.
  [[nodiscard]] static std::string make_salt();

  /// HMAC-SHA256 of session and salt under this token's secret.
  [[nodiscard]] refresh_token next(std::string_view salt) const;
  /// What the client keeps: 64 characters of base64url.
  [[nodiscard]] std::string str() const;
  /// What the database keeps: SHA-256 of str() in hex.
  [[nodiscard]] std::string hash() const;
  [[nodiscard]] auth_session_id session() const noexcept { return session_; }

private:
  using secret = std::array<std::uint8_t, 32>;
  refresh_token(auth_session_id session, const secret& bytes)
      : session_{session}, secret_{bytes} {}

  auth_session_id session_;
  secret secret_;
};

} // namespace jessica::storage
