// Argon2id by libsodium for all new hashes; bcrypt is read too. Slow on purpose: never
// on a reactor or a CAF worker. Each hash made or verified counts in the metric
// jessica_storage_password_hashes_total.
#pragma once

#include "config/settings.hpp"
#include "domain/error.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace jessica::storage {

struct hash_cost {
  std::uint64_t passes = 2;
  std::size_t memory_kib = 19'456;
};

/// The configured cost.
[[nodiscard]] hash_cost cost_of(const config::auth_settings& limits) noexcept;

/// Encoded Argon2id hash with its own salt ("$argon2id$..."). Fails: overloaded
/// (memory).
[[nodiscard]] result<std::string> hash_password(std::string_view password,
                                                hash_cost cost);

/// Whether verify_password can read `hash`: Argon2id or bcrypt of a cost that a sign-in
/// can bear. If not it answers at once.
[[nodiscard]] bool is_password_hash(std::string_view hash) noexcept;

/// Constant time in the password's content; false for a foreign or broken hash.
[[nodiscard]] bool verify_password(std::string_view hash, std::string_view password);

/// Whether a hash made now would be another kind or cost: time to replace it.
[[nodiscard]] bool needs_new_hash(std::string_view hash, hash_cost cost);

/// Spends what verify_password would: an unknown e-mail must not answer faster.
void waste_verification(std::string_view password, hash_cost cost);

} // namespace jessica::storage
