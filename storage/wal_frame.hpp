// The frames of PostgreSQL's streaming replication protocol: what wraps the plugin's
// messages, and what a reader answers. Pure; private to this room and its tests.
#pragma once

#include "domain/account.hpp"
#include "domain/error.hpp"
#include "domain/lsn.hpp"

#include <string>
#include <string_view>
#include <variant>

namespace jessica::storage {

/// One message of the plugin.
struct wal_data {
  lsn at;
  timestamp sent;
  std::string_view message; ///< a view of the frame
};

/// The server is alive and has nothing more to tell.
struct wal_alive {
  lsn end; ///< everything before it was told
  bool answer_now = false;
};

using wal_frame = std::variant<wal_data, wal_alive>;

/// Fails with `internal`: it is neither.
[[nodiscard]] result<wal_frame> read_frame(std::string_view bytes);

/// The frame that says how far we are, and may ask the server to say that it lives.
[[nodiscard]] std::string status_frame(lsn done, timestamp now, bool ask);

} // namespace jessica::storage
