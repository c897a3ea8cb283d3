// What calls that lead to an e-mail share: is there any, and where do its links lead?
#pragma once

#include "config/settings.hpp"
#include "domain/error.hpp"
#include "domain/one_time.hpp"
#include "net/auth_limits.hpp"
#include "net/http_message.hpp"
#include "net/server.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace jessica::net {

/// The 429 for who calls too often; nullopt: go on.
[[nodiscard]] std::optional<http_response> over(paced kind, const http_request& asked,
                                                const backend& with);

[[nodiscard]] bool sends_mail(const config::settings& settings) noexcept;

/// Where a link leads in the end: what the request names, else the page it comes from,
/// when they are allowed; else the site.
[[nodiscard]] std::string destination_of(const http_request& asked,
                                         const config::settings& settings);

[[nodiscard]] link_plan plan_of(const http_request& asked,
                                const config::settings& settings,
                                std::optional<pkce_challenge> pkce);

/// An error in the words of /auth/v1, with the word that OAuth has for its status.
struct auth_refusal {
  std::string code;
  std::string message;
  std::string_view oauth; ///< empty: none
};
[[nodiscard]] auth_refusal refusal_of(const error& why);

} // namespace jessica::net
