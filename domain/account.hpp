// Accounts as the auth API shows them.
#pragma once

#include "domain/ids.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace jessica {

using timestamp = std::chrono::sys_time<std::chrono::microseconds>;

/// A row of auth.users without its secrets.
struct account {
  user_id id;
  std::string email;                  ///< lower case; empty for anonymous users
  std::string role = "authenticated"; ///< that of the tokens
  bool anonymous = false;
  std::string app_metadata = "{}";  ///< JSON object
  std::string user_metadata = "{}"; ///< JSON object
  std::optional<timestamp> email_confirmed_at;
  std::optional<timestamp> last_sign_in_at;
  std::optional<timestamp> banned_until;
  std::optional<timestamp> deleted_at; ///< softly: the row is kept
  timestamp created_at;
  timestamp updated_at;
};

/// What a sign-in or refresh gives: the session and its live refresh token.
struct session_grant {
  account user;
  auth_session_id session;
  std::string refresh_token;
  std::string method; ///< how the session was opened: "password" or "anonymous"
  std::chrono::sys_seconds authenticated_at;
};

/// A client's address and program, kept with its session.
struct client_origin {
  std::string ip;
  std::string user_agent;
};

} // namespace jessica
