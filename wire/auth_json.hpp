// Bodies of /auth/v1: requests read, sessions and users written (GoTrue's shapes).
#pragma once

#include "domain/account.hpp"
#include "domain/error.hpp"
#include "domain/password_policy.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace jessica::wire {

struct sign_up_request {
  std::optional<std::string> email; ///< lower-cased; absent: anonymous
  std::string password;
  std::string data = "{}"; ///< at most 4 KiB: it travels in every access token
};
/// Checks e-mail form and length and the password. Fails with the reasons and messages
/// of docs/errors.md (bad_json, validation_failed, phone_provider_disabled, and those
/// of check_password).
[[nodiscard]] result<sign_up_request> read_sign_up(std::string_view body,
                                                   const password_policy& policy);

struct password_request {
  std::string email; ///< lower-cased
  std::string password;
};
/// Fails: bad_json, validation_failed, phone_provider_disabled; a password longer than
/// any account's is invalid_credentials at once.
[[nodiscard]] result<password_request> read_password(std::string_view body);

/// Fails with reason `refresh_token_required` when empty.
[[nodiscard]] result<std::string> read_refresh_token(std::string_view body);

/// USER.
[[nodiscard]] std::string user_json(const account& who);

/// `user_metadata` as clients and tokens show it: with email_verified once the address
/// was confirmed.
[[nodiscard]] std::string user_metadata_json(const account& who);

/// SESSION; `weak`: why the password that was accepted would no longer be taken.
[[nodiscard]] std::string
session_json(const session_grant& grant, std::string_view access_token,
             std::chrono::sys_seconds now, std::chrono::seconds lifetime,
             const std::optional<password_weakness>& weak = {});

/// /settings for what is switched on.
[[nodiscard]] std::string settings_json(bool signup_enabled, bool anonymous_enabled);

/// RFC 3339 in UTC with microseconds.
[[nodiscard]] std::string rfc3339(timestamp when);

} // namespace jessica::wire
