#include "storage/password.hpp"

#include "ops/metrics.hpp"
#include "storage/bcrypt.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>

namespace jessica::storage {
namespace {

constexpr auto kib = std::size_t{1024};
constexpr auto prefix = std::string_view{crypto_pwhash_argon2id_STRPREFIX};

/// What an import may ask of a sign-in; our own limits are lower.
constexpr auto most_memory_kib = std::uint32_t{1} << 21U;
constexpr auto most_passes = std::uint32_t{100};
constexpr auto most_lanes = std::uint32_t{64};

void count_hash() {
  static auto hashes = ops::counter{"jessica_storage_password_hashes_total",
                                    "Passwords hashed, to store or to verify one"};
  hashes.add();
}

/// "name=" and a number of at most `most` at the start of `text`. Takes it off.
[[nodiscard]] bool take_number(std::string_view& text, std::string_view name,
                               std::uint32_t most) noexcept {
  if (!text.starts_with(name))
    return false;
  text.remove_prefix(name.size());
  auto value = std::uint32_t{0};
  const auto [after, fault] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc{} || value == 0 || value > most)
    return false;
  text.remove_prefix(static_cast<std::size_t>(after - text.data()));
  return true;
}

/// "$argon2id$v=19$m=65536,t=3,p=4$salt$hash".
[[nodiscard]] bool is_argon2id(std::string_view hash) noexcept {
  if (hash.size() >= crypto_pwhash_argon2id_STRBYTES || !hash.starts_with(prefix))
    return false;
  hash.remove_prefix(prefix.size());
  if (!hash.starts_with("v=19$"))
    return false;
  hash.remove_prefix(5);
  if (!take_number(hash, "m=", most_memory_kib) ||
      !take_number(hash, ",t=", most_passes) || !take_number(hash, ",p=", most_lanes) ||
      !hash.starts_with('$'))
    return false;
  const auto is_base64 = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '+' || c == '/';
  };
  hash.remove_prefix(1);
  const auto middle = hash.find('$');
  return middle != std::string_view::npos && middle > 0 && middle + 1 < hash.size() &&
         std::ranges::all_of(hash.substr(0, middle), is_base64) &&
         std::ranges::all_of(hash.substr(middle + 1), is_base64);
}

/// sodium_init() is idempotent and safe from any thread.
[[nodiscard]] bool ready() {
  return sodium_init() >= 0;
}

} // namespace

hash_cost cost_of(const config::auth_settings& limits) noexcept {
  return {limits.argon2_passes, limits.argon2_memory_kib};
}

result<std::string> hash_password(std::string_view password, hash_cost cost) {
  auto hash = std::array<char, crypto_pwhash_argon2id_STRBYTES>{};
  count_hash();
  if (!ready() ||
      crypto_pwhash_argon2id_str(hash.data(), password.data(), password.size(),
                                 cost.passes, cost.memory_kib * kib) != 0)
    return fail(errc::overloaded, "not enough memory to hash a password");
  return std::string{hash.data()};
}

bool is_password_hash(std::string_view hash) noexcept {
  return is_argon2id(hash) || is_bcrypt(hash);
}

bool verify_password(std::string_view hash, std::string_view password) {
  if (!ready() || !is_password_hash(hash))
    return false;
  count_hash();
  if (is_bcrypt(hash))
    return verify_bcrypt(hash, password);
  const auto terminated = std::string{hash};
  return crypto_pwhash_argon2id_str_verify(terminated.c_str(), password.data(),
                                           password.size()) == 0;
}

bool needs_new_hash(std::string_view hash, hash_cost cost) {
  if (!ready() || !is_argon2id(hash))
    return true;
  const auto terminated = std::string{hash};
  return crypto_pwhash_argon2id_str_needs_rehash(terminated.c_str(), cost.passes,
                                                 cost.memory_kib * kib) != 0;
}

void waste_verification(std::string_view password, hash_cost cost) {
  const auto salt = std::array<unsigned char, crypto_pwhash_argon2id_SALTBYTES>{};
  auto key = std::array<unsigned char, 32>{}; // as long as the hash of a password
  if (!ready())
    return;
  count_hash();
  // Without memory the work is cut short, as it would be in verify_password.
  [[maybe_unused]] const auto done = crypto_pwhash_argon2id(
      key.data(), key.size(), password.data(), password.size(), salt.data(),
      cost.passes, cost.memory_kib * kib, crypto_pwhash_argon2id_ALG_ARGON2ID13);
}

} // namespace jessica::storage
