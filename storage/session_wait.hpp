// Waiting on a session that does not block: every wait has a limit. Private to this
// room.
#pragma once

#include "domain/error.hpp"
#include "storage/session.hpp"

#include <chrono>

namespace jessica::storage {

/// unavailable, with libpq's last message.
[[nodiscard]] error lost(const pg_conn* open);

/// Did the server say goodbye while we were idle? Then a new session is due, and no
/// call has to fail for it.
[[nodiscard]] bool gone_while_idle(pg_conn* open);

/// Sends and receives until the next answer is complete. Null: the end of one command.
/// Fails: timeout, unavailable.
[[nodiscard]] result<answer>
next_answer(pg_conn* open, std::chrono::steady_clock::time_point deadline);

} // namespace jessica::storage
