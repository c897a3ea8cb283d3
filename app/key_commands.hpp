// `jessica keys`: the API keys, and files of signing keys.
#pragma once

#include "config/settings.hpp"

#include <string>
#include <vector>

namespace jessica::app {

/// Prints the API keys; makes them when there are none.
int show_keys(const config::settings& settings);

/// `jessica keys sign FILE`: puts a new ES256 key at the head of FILE, or makes it.
/// From the next start on it signs; the others there only verify and lose their private
/// part.
int add_signing_key(const config::settings& settings,
                    const std::vector<std::string>& rest);

} // namespace jessica::app
