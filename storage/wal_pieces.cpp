#include "storage/wal_pieces.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>
#include <variant>

namespace jessica::storage {
namespace {

using maybe_piece = result<std::optional<feed_piece>>;

std::unexpected<error> misplaced(std::string_view what) {
  return fail(errc::internal,
              "the change feed does not make sense: " + std::string{what});
}

std::size_t size_of(const row_change& event) {
  return event.size_bytes();
}
std::size_t size_of(const tables_truncated& event) {
  return sizeof(feed_event) + event.tables.size() * sizeof(event.tables.front());
}
std::size_t size_of(const wal_message& event) {
  return sizeof(feed_event) + event.prefix.size() + event.content.size();
}

template <class... Cases> struct cases : Cases... {
  using Cases::operator()...;
};

} // namespace

feed_piece piece_cutter::take(bool last) {
  auto piece = feed_piece{filling_.commit, filling_.committed, {}, last, filling_.xid};
  piece.events.swap(filling_.events);
  filled_bytes_ = 0;
  return piece;
}

// A full piece waits for the next event, because only then is it known not to be the
// last one.
std::optional<feed_piece> piece_cutter::append(feed_event event, std::size_t size) {
  auto full = std::optional<feed_piece>{};
  if (!filling_.events.empty() &&
      (filling_.events.size() >= events_ || filled_bytes_ >= bytes_)) {
    full = take(false);
    filling_.events.reserve(full->events.size());
  }
  filling_.events.push_back(std::move(event));
  filled_bytes_ += size;
  return full;
}

maybe_piece piece_cutter::add(pgoutput_message message, lsn at, timestamp sent) {
  const auto in_transaction = [&](auto& event) -> maybe_piece {
    if (!open_) {
      return misplaced("a change outside a transaction");
    }
    const auto size = size_of(event);
    return append(std::move(event), size);
  };
  const auto begin = [&](const transaction_begin& start) -> maybe_piece {
    if (open_) {
      return misplaced("a transaction inside another one");
    }
    open_ = true;
    filling_ = {start.commit, start.committed, {}, false, start.xid};
    return std::nullopt;
  };
  const auto commit = [&](const transaction_commit& end) -> maybe_piece {
    if (!open_ || end.commit != filling_.commit) {
      return misplaced("the end of a transaction that did not begin");
    }
    open_ = false;
    done_ = std::max(done_, end.end);
    return filling_.events.empty() ? std::nullopt : std::optional{take(true)};
  };
  const auto told = [&](wal_message& event) -> maybe_piece {
    if (event.transactional) {
      return in_transaction(event);
    }
    if (open_) {
      return misplaced("a message of its own inside a transaction");
    }
    done_ = std::max(done_, at);
    auto piece = feed_piece{at, sent, {}, true, 0};
    piece.events.emplace_back(std::move(event));
    return piece;
  };
  const auto silent = [](const auto&) -> maybe_piece { return std::nullopt; };
  return std::visit(
      cases{begin, commit, told,
            [&](row_change& event) { return in_transaction(event); },
            [&](tables_truncated& event) { return in_transaction(event); },
            [&](const table_announced& event) { return silent(event); },
            [&](const nothing_told& event) { return silent(event); }},
      message);
}

} // namespace jessica::storage
