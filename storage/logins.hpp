// Which logins are over: asked of the accounts themselves. Role: requests.
#pragma once

#include "domain/error.hpp"
#include "domain/login.hpp"
#include "storage/connection.hpp"

#include <span>
#include <vector>

namespace jessica::storage {

/// Those of `asked` that may no longer be used: signed_out when the session is gone,
/// shut_out when the user is banned or deleted. A login without a session is over with
/// its user only, and a user that nobody knows here is somebody else's to judge.
[[nodiscard]] result<std::vector<access_change>>
ended_logins(connection& db, std::span<const login> asked);

} // namespace jessica::storage
