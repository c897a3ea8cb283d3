// What the routes of /auth/v1 read off a request, and off the settings.
#pragma once

#include "config/settings.hpp"
#include "domain/account.hpp"
#include "domain/password_policy.hpp"
#include "net/http_message.hpp"

#include <string>
#include <string_view>

namespace jessica::net {

/// Where a request comes from, in what any encoding can hold: it is kept with the
/// session in the database.
[[nodiscard]] client_origin origin_of(const http_request& what);

/// The value of a query parameter; empty when absent or not readable.
[[nodiscard]] std::string query_value(const http_request& what, std::string_view name);

[[nodiscard]] password_policy policy_of(const config::auth_settings& auth);

} // namespace jessica::net
