// What lies under /v1 as an OpenAPI 3 document.
#pragma once

#include "config/settings.hpp"

#include <string>

namespace jessica::net {

[[nodiscard]] std::string gateway_openapi(const config::settings& settings);

} // namespace jessica::net
