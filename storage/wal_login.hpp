// How a replication connection logs in. Private to this room and its tests.
#pragma once

#include "domain/error.hpp"
#include "storage/endpoint.hpp"
#include "storage/session.hpp"

namespace jessica::storage {

/// Logs in as role::feed, or as the connection string says with `where.switch_role`;
/// the session does not block. Fails: forbidden (the role may not replicate, or is not
/// let in); overloaded (no free connection); invalid_input (a broken connection
/// string); unavailable.
[[nodiscard]] result<session> log_in_to_replicate(const endpoint& where);

} // namespace jessica::storage
