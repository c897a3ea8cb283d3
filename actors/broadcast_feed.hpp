// Which stored broadcasts the feed has told, so that a stream that is opened anew goes
// on where the one before it ended: nothing is missed, nothing comes twice. One thread
// at a time.
#pragma once

#include "actors/broadcast_messages.hpp"
#include "storage/change.hpp"

#include <cstddef>
#include <deque>
#include <unordered_set>
#include <vector>

namespace jessica::actors {

class broadcast_feed {
public:
  /// Tells what is stored after `started`, of at most `max_bytes` each: a bigger one
  /// no client's socket would take.
  broadcast_feed(timestamp started, std::size_t max_bytes)
      : horizon_{started}, alive_{started}, max_bytes_{max_bytes} {}

  /// The broadcast that a change of transaction `xid` brought; null: it is none for
  /// clients.
  [[nodiscard]] stored_ptr take(const storage::row_change& change, std::uint32_t xid);
  /// Which ones to read from the table when a stream begins, the oldest `most`.
  [[nodiscard]] storage::missed_wish missed(std::size_t most) const;
  /// Of those that were read, the ones that no stream brought.
  [[nodiscard]] std::vector<stored_ptr>
  take_missed(std::vector<storage::stored_broadcast> read);

  /// The stream was read up to its end at this time.
  void read_to_end(timestamp now) { alive_ = now; }

private:
  /// What was inserted before it, by the start of its transaction, was told, or comes
  /// from the stream. A transaction of more than ten minutes that ended while there was
  /// no stream is not looked for.
  [[nodiscard]] timestamp told_before() const;
  [[nodiscard]] bool fits(const storage::stored_broadcast& what) const;
  void remember(const storage::stored_broadcast& what);

  struct told {
    uuid id;
    timestamp inserted;
  };
  std::deque<told> order_;
  std::unordered_set<uuid> ids_; ///< of order_
  timestamp horizon_; ///< whatever was inserted after it and told is remembered
  timestamp alive_;
  std::size_t max_bytes_;
};

} // namespace jessica::actors
