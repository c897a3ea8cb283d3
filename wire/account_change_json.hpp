// The body of PUT /auth/v1/user: what users change about themselves.
#pragma once

#include "domain/error.hpp"
#include "domain/password_policy.hpp"

#include <string>
#include <string_view>

namespace jessica::wire {

struct user_change_request {
  std::string email;            ///< lower case; empty: stays
  std::string password;         ///< empty: stays
  std::string current_password; ///< as sent, or empty
  std::string nonce;            ///< of a reauthentication, as sent, or empty
  std::string data = "{}";      ///< to be merged into user_metadata
};
/// Fails: bad_json, validation_failed, phone_provider_disabled, app_metadata_refused
/// and as check_password.
[[nodiscard]] result<user_change_request>
read_user_change(std::string_view body, const password_policy& policy);

} // namespace jessica::wire
