// var/keys.json: the JWT secret and the API keys, made at first start, mode 0600.
#pragma once

#include "domain/error.hpp"

#include <filesystem>
#include <string>

namespace jessica::storage {

struct key_set {
  std::string jwt_secret; ///< at least 32 bytes
  std::string anon_key;
  std::string service_key;
  std::string publishable_key; ///< sb_publishable_...: same rights as anon
  std::string secret_key;      ///< sb_secret_...: same rights as service_role
};

/// Reads the file; it may lack the opaque keys, which are empty then. Fails: not_found,
/// invalid_input (broken; names the field), forbidden (others may reach it: says chmod
/// 600), unavailable (disk).
[[nodiscard]] result<key_set> read_keys(const std::filesystem::path& file);

/// What the file lacks is taken from `spare` and written into it; gives what it holds
/// then. Two at once: the first one's stay. Fails: as read_keys, unavailable (disk).
[[nodiscard]] result<key_set> complete_keys(const std::filesystem::path& file,
                                            const key_set& spare);

/// Writes it with mode 0600, complete or not at all. Fails: conflict when it exists,
/// invalid_input (a key, opaque ones too, is missing or too short), unavailable (disk).
[[nodiscard]] result<void> write_keys(const std::filesystem::path& file,
                                      const key_set& keys);

} // namespace jessica::storage
