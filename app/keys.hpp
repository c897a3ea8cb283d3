// The server's keys: read from var/keys.json, made at first start.
#pragma once

#include "domain/error.hpp"
#include "storage/key_file.hpp"

#include <filesystem>

namespace jessica::app {

/// Fails as storage::read_keys and write_keys do. Two first starts at once: one set of
/// keys wins and both use it.
[[nodiscard]] result<storage::key_set> open_keys(const std::filesystem::path& file);

} // namespace jessica::app
