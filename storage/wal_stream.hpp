// Reads PostgreSQL's write-ahead log as it is written: every committed change of the
// published tables, in commit order, and a snapshot that it continues without a gap.
#pragma once

#include "domain/account.hpp"
#include "domain/error.hpp"
#include "domain/lsn.hpp"
#include "storage/change.hpp"
#include "storage/endpoint.hpp"
#include "storage/wal_snapshot.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace jessica::storage {

struct wal_options {
  std::string node; ///< part of the slot's name, so that an operator knows whose it is
  std::vector<std::string> publications{"supabase_realtime", "jessica_engine",
                                        "jessica_broadcasts"};
  /// A slot waits for every transaction that is writing when it is made.
  std::chrono::milliseconds slot_timeout{10'000};
  /// How often the server is told how far we are.
  std::chrono::milliseconds status_interval{5'000};
  /// A piece is full with this many events, or when their memory reaches this much (it
  /// exceeds it by at most one event).
  std::size_t piece_events = 1'000;
  std::size_t piece_bytes = std::size_t{1} << 20;
};

/// One replication connection with a temporary slot of its own; both end with the
/// object. One thread at a time. After any failure the object is of no more use: open
/// another one, read the snapshot again.
class wal_stream {
public:
  /// Logs in as role::feed (with `where.switch_role` as the connection string says: a
  /// replication connection cannot change its role) and makes the slot. Fails:
  /// forbidden (the role may not replicate or the server's wal_level is not logical:
  /// poll instead); timeout (somebody's transaction is open and writing, or the server
  /// does not answer); overloaded (no free slot or sender); unavailable; invalid_input
  /// (a broken connection string).
  [[nodiscard]] static result<wal_stream> open(const endpoint& where,
                                               const wal_options& options);
  ~wal_stream();
  wal_stream(wal_stream&&) noexcept;
  wal_stream& operator=(wal_stream&&) noexcept;

  /// For run_in_snapshot: the database as it was where the stream begins. Dead after
  /// start(), and when it was not used for 5 minutes.
  [[nodiscard]] const std::string& snapshot() const noexcept;
  [[nodiscard]] const std::string& slot() const noexcept;

  /// Begins to stream. Call it when the snapshot was read (or is not wanted).
  [[nodiscard]] result<void> start();

  /// The next piece; waits for one at most `wait`, and nullopt is "nothing yet". Keeps
  /// the connection alive meanwhile. Fails: unavailable (the connection is lost, or the
  /// server silent for longer than its wal_sender_timeout); internal (bytes that make
  /// no sense); and what the server reports.
  [[nodiscard]] result<std::optional<feed_piece>> next(std::chrono::milliseconds wait);

  /// For a reader that cannot take more at present: keeps the connection alive without
  /// reading. Call it every few seconds; it does not wait.
  [[nodiscard]] result<void> keep_alive();

  /// Asks the server how far its log goes; position() is there when next() has read the
  /// answer and all before it. Does not wait.
  [[nodiscard]] result<void> ask_position();

  /// Everything before it was handed out (at first: where the snapshot is).
  [[nodiscard]] lsn position() const noexcept;
  /// Bytes of log that the server said to have passed on, and we did not hand out.
  [[nodiscard]] std::uint64_t lag() const noexcept;
  /// When the transaction of the last piece was committed, by the server's clock.
  [[nodiscard]] std::optional<timestamp> last_commit() const noexcept;

private:
  struct state;
  explicit wal_stream(std::unique_ptr<state> state);
  std::unique_ptr<state> state_;
};

} // namespace jessica::storage
