// JSON Web Keys (RFC 7517): elliptic curve P-256, RSA and shared secrets.
#pragma once

#include "domain/error.hpp"

#include <boost/json/object.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace jessica::wire {

class openssl_key;

enum class token_algorithm : std::uint8_t { hs256, es256, rs256 };

/// "HS256" and so on, as a token's header spells it.
[[nodiscard]] std::string_view name(token_algorithm which) noexcept;
[[nodiscard]] std::optional<token_algorithm> parse_algorithm(std::string_view text);

/// One key. Immutable, cheap to copy, for any thread.
class jwk {
public:
  /// EC keys are P-256, RSA keys have 2048 to 4096 bits, secrets at least 32 bytes;
  /// `alg` and `use`, when there, must fit. A key without `kid` gets its thumbprint
  /// (RFC 7638). Fails: invalid_input; says what is wrong, never what the key is.
  [[nodiscard]] static result<jwk> read(const boost::json::object& from);

  [[nodiscard]] token_algorithm algorithm() const noexcept { return algorithm_; }
  [[nodiscard]] const std::string& kid() const noexcept { return kid_; }
  /// Holds a private key.
  [[nodiscard]] bool signs() const noexcept { return signs_; }
  /// What everybody may see of it, as a JWK; empty for a shared secret.
  [[nodiscard]] const std::string& public_json() const noexcept { return public_json_; }
  /// What a server that only verifies needs: the secret itself when it is one.
  [[nodiscard]] std::string verifying_json() const;
  /// The bytes of a shared secret; empty for other keys.
  [[nodiscard]] std::string_view secret() const noexcept { return secret_; }

  /// Whether `signature`, in the form of RFC 7518 (ES256: 64 bytes r and s, not DER),
  /// is this key's under `text`. False for a shared secret.
  [[nodiscard]] bool verifies(std::string_view text, std::string_view signature) const;

  /// The signature in the same form. Needs signs(). Fails: internal.
  [[nodiscard]] result<std::string> sign(std::string_view text) const;

  /// The same without its private part.
  [[nodiscard]] jwk public_part() const;

private:
  token_algorithm algorithm_ = token_algorithm::hs256;
  bool signs_ = false;
  std::string kid_;
  std::string public_json_;
  std::string secret_;
  std::shared_ptr<const openssl_key> key_;
};

/// A new P-256 key as a private JWK. Fails: internal.
[[nodiscard]] result<std::string> make_signing_jwk();

} // namespace jessica::wire
