// Users, sessions and refresh tokens. Role: accounts. Refresh tokens are stored hashed.
#pragma once

#include "config/settings.hpp"
#include "domain/account.hpp"
#include "domain/error.hpp"
#include "storage/connection.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace jessica::storage {

struct new_account {
  std::string email;       ///< validated; empty: anonymous
  std::string password;    ///< plain; hashed here (slow: 20-50 ms)
  std::string data = "{}"; ///< JSON object, becomes user_metadata
};

/// Which sessions a logout ends.
enum class logout_scope : std::uint8_t { global, local, others };

/// Creates the account and its first session in one commit. `reason` on conflict:
/// user_already_exists.
[[nodiscard]] result<session_grant> sign_up(connection& db,
                                            const config::auth_settings& limits,
                                            const new_account& what,
                                            const client_origin& from);

/// Opens a session. A hash of another kind or cost than ours is replaced on the way.
/// Fails: unauthenticated with reason invalid_credentials (same work for unknown e-mail
/// and wrong password); with the right password forbidden with sign_in_banned or
/// email_not_confirmed.
[[nodiscard]] result<session_grant>
sign_in(connection& db, const config::auth_settings& limits, std::string_view email,
        std::string_view password, const client_origin& from);

/// Refresh with rotation: the newest token makes the next one; the one before it gets
/// the newest again, an older one only within `refresh_reuse` of the last refresh.
/// Fails: unauthenticated with reason refresh_token_not_found, session_not_found,
/// session_expired, session_inactive, user_banned or refresh_token_already_used (the
/// session is ended, and that is committed); conflict (too many at once).
[[nodiscard]] result<session_grant> refresh(connection& db,
                                            const config::auth_settings& limits,
                                            std::string_view refresh_token,
                                            const client_origin& from);

/// The user of a live session. Fails: forbidden with user_not_found, session_not_found
/// or user_banned.
[[nodiscard]] result<account> find_user(connection& db, user_id user,
                                        auth_session_id session);

/// Ends sessions; fails like find_user.
[[nodiscard]] result<void> sign_out(connection& db, user_id user,
                                    auth_session_id session, logout_scope scope);

} // namespace jessica::storage
