// The secrets an e-mail carries, and how the database keeps them: a code of six digits
// as a keyed hash (all of its kind are tried in no time), a link's token as a plain
// one, and a letter that still has to be sent sealed.
#pragma once

#include "domain/ids.hpp"
#include "domain/letter.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jessica::storage {

/// What every code's kind and link begins with when an app waits for it (PKCE).
inline constexpr auto pkce_prefix = std::string_view{"pkce_"};

/// Keys of the server for what it mails; neither is stored.
class code_key {
public:
  /// From a secret that all nodes share and the database does not know.
  [[nodiscard]] static code_key derive(std::string_view server_secret);

  /// Hex. Binds a code to whom it is for, to what, and to the address it went to.
  [[nodiscard]] std::string hash(user_id user, std::string_view kind,
                                 std::string_view email, std::string_view code) const;
  /// Authenticated encryption, as hex.
  [[nodiscard]] std::string seal(const letter& what) const;
  /// nullopt: not sealed by us, or with another key.
  [[nodiscard]] std::optional<letter> open(std::string_view sealed) const;

private:
  using key = std::array<std::uint8_t, 32>;
  code_key(const key& hashing, const key& sealing)
      : hashing_{hashing}, sealing_{sealing} {}

  key hashing_;
  key sealing_;
};

/// Six random digits.
[[nodiscard]] std::string make_code();
/// 256 random bits in hex.
[[nodiscard]] std::string make_token();
/// SHA-256 in hex: what the database keeps of a token.
[[nodiscard]] std::string hash_token(std::string_view token);
/// SHA-256 in base64url: what an app shows of its verifier (RFC 7636, S256).
[[nodiscard]] std::string challenge_of(std::string_view verifier);
/// Takes equally long wherever they differ.
[[nodiscard]] bool same_secret(std::string_view one, std::string_view other);

} // namespace jessica::storage
