// Accounts in the hands of an administrator. Role: accounts.
#pragma once

#include "config/settings.hpp"
#include "domain/account_fields.hpp"
#include "domain/error.hpp"
#include "storage/connection.hpp"

namespace jessica::storage {

/// A new account without a session. Fails: conflict with email_exists, or
/// user_already_exists (the id); invalid_input (metadata, or a hash that no password
/// can be verified by).
[[nodiscard]] result<account> create_account(connection& db,
                                             const config::auth_settings& limits,
                                             const account_fields& what);

/// One page, softly deleted accounts included.
[[nodiscard]] result<account_page> list_accounts(connection& db,
                                                 const page_request& which);

/// Also a softly deleted account. Fails: not_found with user_not_found.
[[nodiscard]] result<account> find_account(connection& db, user_id user);

/// Changes what is given. A password ends all sessions; a ban leaves them, they are of
/// no use until it ends. Fails as create_account; not_found, also when deleted softly.
[[nodiscard]] result<account> change_account(connection& db,
                                             const config::auth_settings& limits,
                                             user_id user, const account_fields& what);

/// `softly`: the row stays for what refers to it, without address, password, metadata
/// and sessions. Else the row goes, and with it all that is the user's. Fails:
/// not_found with user_not_found.
[[nodiscard]] result<void> delete_account(connection& db, user_id user, bool softly);

} // namespace jessica::storage
