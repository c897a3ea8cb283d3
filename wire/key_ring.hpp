// The keys by which tokens are signed and verified, found by their id.
#pragma once

#include "domain/error.hpp"
#include "wire/jwk.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace jessica::wire {

/// Immutable once made, for any thread.
class key_ring {
public:
  /// Our own keys: a JWK or {"keys":[...]}. The first private one signs, all verify.
  /// Fails: invalid_input when one of them is not usable, two have the same id, or
  /// there is none.
  [[nodiscard]] static result<key_ring> read_own(std::string_view json);

  /// Another server's public keys: {"keys":[...]}. What we cannot use of it is passed
  /// over, secrets and private parts too; more than 32 keys are not looked at. Fails:
  /// invalid_input when it is no such object.
  [[nodiscard]] static result<key_ring> read_public(std::string_view json);

  /// Null: no key has this id. No key has the empty id.
  [[nodiscard]] const jwk* find(std::string_view kid) const noexcept;
  /// The key that signs; null: none is private.
  [[nodiscard]] const jwk* signer() const noexcept;
  /// {"keys":[...]} with the public keys only, for everybody.
  [[nodiscard]] std::string public_json() const;
  [[nodiscard]] const std::vector<jwk>& all() const noexcept { return keys_; }

private:
  std::vector<jwk> keys_;
};

} // namespace jessica::wire
