#include "storage/bcrypt.hpp"

#include <crypt.h>
#include <sodium.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>

namespace jessica::storage {
namespace {

constexpr auto hash_length = std::size_t{60}; // "$2b$10$", 22 of salt, 31 of hash
constexpr auto salt_at = std::size_t{7};
constexpr auto longest_password = std::size_t{72};
constexpr auto most_cost = 15; // 2^15 rounds take seconds

[[nodiscard]] bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

[[nodiscard]] bool is_in_alphabet(char c) noexcept {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
         c == '/';
}

} // namespace

bool is_bcrypt(std::string_view hash) noexcept {
  if (hash.size() != hash_length ||
      (!hash.starts_with("$2a$") && !hash.starts_with("$2b$") &&
       !hash.starts_with("$2y$")) ||
      !is_digit(hash[4]) || !is_digit(hash[5]) || hash[6] != '$')
    return false;
  const auto cost = (hash[4] - '0') * 10 + (hash[5] - '0');
  return cost >= 4 && cost <= most_cost &&
         std::ranges::all_of(hash.substr(salt_at), is_in_alphabet);
}

bool verify_bcrypt(std::string_view hash, std::string_view password) {
  if (!is_bcrypt(hash) || password.size() > longest_password || password.contains('\0'))
    return false;
  const auto setting = std::string{hash};
  const auto key = std::string{password};
  const auto room = std::make_unique<crypt_data>(); // 32 KiB, and must begin as zeros
  const auto* made = crypt_r(key.c_str(), setting.c_str(), room.get());
  const auto same = made != nullptr && std::string_view{made}.size() == hash_length &&
                    sodium_memcmp(made, setting.data(), hash_length) == 0;
  sodium_memzero(room.get(), sizeof(crypt_data));
  return same;
}

} // namespace jessica::storage
