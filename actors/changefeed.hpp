// CHANGEFEED: the database's log, read as it is written. See protocol.hpp.
#pragma once

#include "actors/broadcast_feed.hpp"
#include "actors/embedding_messages.hpp"
#include "actors/memory_messages.hpp"
#include "actors/protocol.hpp"
#include "storage/connection.hpp"
#include "storage/endpoint.hpp"
#include "storage/wal_stream.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace jessica::actors {

struct changefeed_deps {
  storage::endpoint database;
  storage::wal_options wal;
  dispatcher_actor dispatcher;
  catalog_actor catalog;
  doorkeeper_actor doorkeeper;
  hub_actor hub;
  embedding_actor embedding; ///< null: nothing is embedded here
  /// Outlives the actor: the one that comes after it tells whom it lost.
  std::shared_ptr<change_router> router;
  std::shared_ptr<broadcast_feed> broadcasts; ///< outlives it, too
  indexer_actor indexer;                      ///< null: there is no memory
  /// Rows on their way to INDEXER, as text: some ten thousand. More are left out.
  std::size_t indexer_bytes = std::size_t{64} << 20U;
};

/// What INDEXER was told, and who waits for it.
struct told_indexer {
  std::size_t bytes = 0; ///< of rows that it has not taken in yet
  /// They were too many: it is told of nothing until it has taken them all in. Then it
  /// compares itself with the table.
  bool skips = false;
  lsn position;
  std::chrono::steady_clock::time_point at;
  lsn wanted; ///< somebody waits for this place
  std::chrono::steady_clock::time_point wanted_until;
  std::chrono::steady_clock::time_point asked_at; ///< the server, for it
};

struct changefeed_state {
  changefeed_deps deps;
  std::unique_ptr<storage::connection>
      db; ///< reads what was true where the feed begins
  std::unique_ptr<storage::connection> requests; ///< asks row security
  bool rows = false; ///< the stream brings rows that clients may follow, too
  std::chrono::steady_clock::time_point followed_at; ///< when a client last did
  std::uint32_t seen = 0;  ///< the transaction that queries are known to see
  bool rules_stale = true; ///< tables and policies are to be read again
  std::optional<storage::wal_stream> stream;
  std::chrono::milliseconds pause{0}; ///< before the next try to open it
  std::size_t handed = 0; ///< lots of stored broadcasts that HUB has not told yet
  bool reads_when_told = false;
  told_indexer indexed;
  std::vector<caf::typed_response_promise<done>> waiting; ///< for the feed to open
};

/// Reads and routes for a moment, then sends itself read_on again. While the feed is
/// away nodes look for jobs every heartbeat, and running jobs learn of stops with their
/// checkpoints; when it is back everything that may have been missed is told again.
changefeed_actor::behavior_type
changefeed(changefeed_actor::stateful_pointer<changefeed_state> self,
           changefeed_deps deps);

/// Policies, grants or the publication changed.
struct rules_changed {};
/// Searches may go by another embedding model.
struct model_changed {};

/// What a message of jessica.wake() asks for; monostate: nothing we know.
[[nodiscard]] std::variant<std::monostate, jobs_ready, job_id, rules_changed,
                           access_change, model_changed, texts_due>
read_wake(std::string_view content);

} // namespace jessica::actors
