// Cuts the stream of decoded messages into pieces of bounded size, so that a
// transaction never has to fit into memory. Pure; private to this room and its tests.
#pragma once

#include "domain/account.hpp"
#include "domain/error.hpp"
#include "domain/lsn.hpp"
#include "storage/change.hpp"
#include "storage/pgoutput.hpp"

#include <cstddef>
#include <optional>

namespace jessica::storage {

class piece_cutter {
public:
  /// A piece is full with `events` of them or `bytes` of memory, each at least one.
  piece_cutter(std::size_t events, std::size_t bytes) noexcept
      : events_{events}, bytes_{bytes} {}

  /// Takes the next message, `at` its place in the log and `sent` the server's time; a
  /// piece when one became complete. Transactions without events give none. Fails with
  /// `internal`: it cannot come here (a row outside a transaction, a second begin).
  [[nodiscard]] result<std::optional<feed_piece>> add(pgoutput_message message, lsn at,
                                                      timestamp sent);

  /// Part of a transaction is still to come.
  [[nodiscard]] bool inside() const noexcept { return open_; }
  /// The end of what was given out completely.
  [[nodiscard]] lsn done() const noexcept { return done_; }

private:
  std::optional<feed_piece> append(feed_event event, std::size_t size);
  feed_piece take(bool last);

  std::size_t events_;
  std::size_t bytes_;
  bool open_ = false;
  feed_piece filling_;
  std::size_t filled_bytes_ = 0;
  lsn done_;
};

} // namespace jessica::storage
