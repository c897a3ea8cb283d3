// How a transaction becomes a client: role, claims and search path, for this
// transaction only. Runs first in every transaction that touches a client's rows.
#pragma once

#include "domain/identity.hpp"
#include "domain/ids.hpp"
#include "storage/connection.hpp"

#include <cstdint>

namespace jessica::storage {

enum class access : std::uint8_t { read_only, read_write };

/// The statement that makes the rest of its transaction run as `who`: row security,
/// grants and auth.uid() hold from there on. Role of the connection: requests.
[[nodiscard]] statement act_as(const identity& who, access mode);

/// The same for a user known by id alone: role authenticated, claims of sub and role.
[[nodiscard]] statement act_as_user(user_id user, access mode);

} // namespace jessica::storage
