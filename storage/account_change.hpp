// What users change about their own account. Role: accounts.
#pragma once

#include "config/settings.hpp"
#include "domain/account.hpp"
#include "domain/error.hpp"
#include "storage/connection.hpp"

#include <cstddef>
#include <string>

namespace jessica::storage {

/// user_metadata and app_metadata together, as stored: both travel in every token.
inline constexpr auto max_account_metadata_bytes = std::size_t{5120};

struct account_change {
  std::string email{};            ///< validated, lower case; empty: stays
  std::string password{};         ///< plain and checked; empty: stays
  std::string current_password{}; ///< asked for by require_current_password
  std::string data = "{}"; ///< JSON object, merged into user_metadata; a null removes
};

/// Changes the account in one commit. A password ends all sessions but this one; the
/// first address of an anonymous account makes it permanent (its tokens say so after
/// their next refresh). Fails like find_user, and: forbidden with
/// anonymous_without_email, email_provider_disabled or same_password; conflict with
/// email_exists; invalid_input (metadata too large, or a current password that is
/// missing or wrong).
[[nodiscard]] result<account> change_user(connection& db,
                                          const config::auth_settings& limits,
                                          user_id user, auth_session_id session,
                                          const account_change& what);

/// Is the metadata of an account small enough? Fails: validation_failed.
[[nodiscard]] result<void> check_metadata(const account& who);

} // namespace jessica::storage
