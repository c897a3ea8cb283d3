// Users whose accounts another server keeps: their rows in auth.users.
#pragma once

#include "domain/ids.hpp"
#include "storage/connection.hpp"

namespace jessica::storage {

/// Rows may refer to the user from now on. A user that has a row, deleted or banned
/// ones too, keeps it as it is; a new one has neither an e-mail nor a password, so
/// nobody signs in here with it. Fails: as connection::run.
[[nodiscard]] result<void> welcome_user(connection& db, user_id user);

} // namespace jessica::storage
