// Whether a session is still there. Private to this room.
#pragma once

#include "domain/error.hpp"
#include "storage/session.hpp"

namespace jessica::storage {

/// unavailable, with libpq's last message.
[[nodiscard]] error lost(const pg_conn* open);

/// Did the server say goodbye while we were idle? Then a new session is due, and no
/// call has to fail for it.
[[nodiscard]] bool gone_while_idle(pg_conn* open);

} // namespace jessica::storage
