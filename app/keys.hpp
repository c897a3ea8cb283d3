// The server's keys: read from var/keys.json, made at first start.
#pragma once

#include "config/settings.hpp"
#include "domain/error.hpp"
#include "storage/key_file.hpp"
#include "wire/credentials.hpp"

#include <filesystem>
#include <string>

namespace jessica::app {

/// Makes the directory, too. Fails as storage::read_keys and write_keys do. Two first
/// starts at once: one set of keys wins and both use it. A file without opaque keys
/// gets them.
[[nodiscard]] result<storage::key_set> open_keys(const std::filesystem::path& file);

/// All that callers are recognised by, the settings' keys before those of keys.json.
/// Fails: as storage::read_private, invalid_input (auth.signing_keys is no key file;
/// says why).
[[nodiscard]] result<wire::credentials>
credentials_of(const storage::key_set& keys, const config::auth_settings& settings);

/// Where the trusted issuer's public keys are; empty: nowhere.
[[nodiscard]] std::string trusted_keys_url(const config::auth_settings& settings);

} // namespace jessica::app
