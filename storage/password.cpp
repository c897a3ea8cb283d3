#include "storage/password.hpp"

#include <sodium.h>

#include <array>

namespace jessica::storage {
namespace {

constexpr auto kib = std::size_t{1024};
constexpr auto prefix = std::string_view{crypto_pwhash_argon2id_STRPREFIX};

/// sodium_init() is idempotent and safe from any thread.
[[nodiscard]] bool ready() {
  return sodium_init() >= 0;
}

} // namespace

result<std::string> hash_password(std::string_view password, hash_cost cost) {
  auto hash = std::array<char, crypto_pwhash_argon2id_STRBYTES>{};
  if (!ready() ||
      crypto_pwhash_argon2id_str(hash.data(), password.data(), password.size(),
                                 cost.passes, cost.memory_kib * kib) != 0)
    return fail(errc::overloaded, "not enough memory to hash a password");
  return std::string{hash.data()};
}

bool is_password_hash(std::string_view hash) noexcept {
  return hash.starts_with(prefix) && hash.size() < crypto_pwhash_argon2id_STRBYTES;
}

bool verify_password(std::string_view hash, std::string_view password) {
  if (!ready() || !is_password_hash(hash))
    return false;
  const auto terminated = std::string{hash};
  return crypto_pwhash_argon2id_str_verify(terminated.c_str(), password.data(),
                                           password.size()) == 0;
}

void waste_verification(std::string_view password, hash_cost cost) {
  const auto salt = std::array<unsigned char, crypto_pwhash_argon2id_SALTBYTES>{};
  auto key = std::array<unsigned char, 32>{}; // as long as the hash of a password
  if (!ready())
    return;
  // Without memory the work is cut short, as it would be in verify_password.
  [[maybe_unused]] const auto done = crypto_pwhash_argon2id(
      key.data(), key.size(), password.data(), password.size(), salt.data(),
      cost.passes, cost.memory_kib * kib, crypto_pwhash_argon2id_ALG_ARGON2ID13);
}

} // namespace jessica::storage
