// The commands of a replication connection, each with a limit of its own. Private to
// this room and its tests.
#pragma once

#include "domain/error.hpp"
#include "domain/lsn.hpp"
#include "storage/session.hpp"

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace jessica::storage {

using wait_clock = std::chrono::steady_clock;

/// Waits until the socket has input, or takes output again if that is wanted; false
/// when the time is over.
[[nodiscard]] result<bool> wait_for_socket(const pg_conn* open, bool output,
                                           wait_clock::time_point until);

/// The error of a connection that libpq cannot use any more.
[[nodiscard]] error connection_lost(const pg_conn* open);

/// Gives all values the text form that clients see, whatever the database or role says.
[[nodiscard]] result<void> pin_texts(pg_conn* open);

/// How long the server waits for a sign of life; nullopt: for ever.
[[nodiscard]] result<std::optional<std::chrono::milliseconds>>
sender_timeout(pg_conn* open);

struct exported_slot {
  std::string name;
  std::string snapshot;
  lsn start;
};

/// Makes a temporary slot. On a timeout the server is told to give up, and the session
/// is of no more use.
[[nodiscard]] result<exported_slot> create_slot(pg_conn* open, const std::string& name,
                                                std::chrono::milliseconds limit);

/// Ends the snapshot and begins to stream.
[[nodiscard]] result<void> start_replication(pg_conn* open, std::string_view slot,
                                             std::span<const std::string> publications);

/// Why a stream ended that libpq calls finished.
[[nodiscard]] error end_of_stream(pg_conn* open);

} // namespace jessica::storage
