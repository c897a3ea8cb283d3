// Broadcasts in realtime.messages: written, read from the log, read back, swept.
#pragma once

#include "domain/account.hpp"
#include "domain/error.hpp"
#include "domain/identity.hpp"
#include "domain/ids.hpp"
#include "storage/change.hpp"
#include "storage/connection.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::storage {

/// A broadcast to be stored, of a private topic.
struct new_broadcast {
  uuid id;
  std::string topic; ///< without "realtime:"
  std::string event;
  bool json = true; ///< else `payload` is raw bytes
  std::string payload;
  std::optional<std::chrono::seconds> ttl;
};

/// A broadcast that was committed.
struct stored_broadcast {
  uuid id;
  std::string topic;
  bool is_private = true;
  std::string event;
  bool json = true;
  std::string payload;
  timestamp inserted;    ///< when its transaction began
  std::uint32_t xid = 0; ///< that transaction
};

/// Stores it as `who`: the policies of realtime.messages decide. Fails: forbidden;
/// invalid_input (JSON that jsonb does not take); as connection::run. Role: requests.
[[nodiscard]] result<void> store_broadcast(connection& db, const identity& who,
                                           const new_broadcast& what);

/// The broadcast that an inserted row is; nullopt: it is none.
[[nodiscard]] std::optional<stored_broadcast> broadcast_of(const row_change& change);

/// The newest `most` live broadcasts of a private topic that were inserted at or after
/// `since` (after 1970), in the order of their commits. Whoever asks has been allowed
/// to read the topic. Role: requests.
[[nodiscard]] result<std::vector<stored_broadcast>>
stored_on(connection& db, std::string_view topic, std::chrono::milliseconds since,
          std::size_t most);

/// Which broadcasts a stream that begins did not bring.
struct missed_wish {
  timestamp since;           ///< inserted after it
  std::vector<uuid> known;   ///< not these
  std::size_t max_bytes = 0; ///< nor those with a bigger payload
  std::size_t most = 0;      ///< the oldest of them
};
/// Those, in the order of their commits, as of a snapshot that wal_stream exported.
/// Role: engine.
[[nodiscard]] result<std::vector<stored_broadcast>>
missed_broadcasts(connection& db, std::string_view snapshot, const missed_wish& wish);

/// Tends the table (jessica.sweep_broadcasts); how many had expired. Role: engine.
[[nodiscard]] result<std::int64_t> sweep_broadcasts(connection& db);

} // namespace jessica::storage
