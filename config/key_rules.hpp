// What keys and issuers must look like, beyond what one option shows.
#pragma once

#include "config/settings.hpp"

#include <string>
#include <vector>

namespace jessica::config {

/// One line a mistake; none holds a secret.
[[nodiscard]] std::vector<std::string> mistakes_of_keys(const auth_settings& in);

} // namespace jessica::config
