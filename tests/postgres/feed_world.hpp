// A table in the feed for one case, and how to read the feed up to a fence.
#pragma once

#include "storage/session.hpp"
#include "storage/wal_stream.hpp"
#include "tests/postgres/seed.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <format>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace jessica::test {

constexpr auto patience = std::chrono::seconds{30};

/// A published table `public.feed_case`, gone with the object.
class fed_table {
public:
  explicit fed_table(std::string_view columns) {
    admin("drop table if exists public.feed_case");
    admin(std::format("create table public.feed_case ({})", columns));
    admin("alter publication supabase_realtime add table public.feed_case");
  }
  ~fed_table() { admin("drop table public.feed_case"); }
  fed_table(const fed_table&) = delete;
  fed_table& operator=(const fed_table&) = delete;
};

inline storage::wal_options quick_feed() {
  auto options = storage::wal_options{};
  options.node = "Test node-1";
  options.slot_timeout = patience;
  options.status_interval = std::chrono::milliseconds{20};
  return options;
}

inline storage::wal_stream must_open(const storage::wal_options& options = quick_feed(),
                                     const storage::endpoint& where = database()) {
  auto made = storage::wal_stream::open(where, options);
  if (!made) {
    FAIL(made.error().what);
  }
  return std::move(*made);
}

inline storage::wal_stream
must_start(const storage::wal_options& options = quick_feed()) {
  auto stream = must_open(options);
  const auto begun = stream.start();
  if (!begun) {
    FAIL(begun.error().what);
  }
  return stream;
}

inline void emit(std::string prefix, std::string content, bool transactional = true) {
  admin("select pg_logical_emit_message($1::bool, $2::text, $3::text)",
        {transactional ? "true" : "false", std::move(prefix), std::move(content)});
}

/// The next piece, however long it takes.
inline storage::feed_piece next_piece(storage::wal_stream& stream) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < end) {
    auto got = stream.next(std::chrono::milliseconds{100});
    if (!got) {
      FAIL(got.error().what);
    }
    if (*got) {
      return std::move(**got);
    }
  }
  FAIL("nothing came");
  return {};
}

inline bool is_fence(const storage::feed_piece& piece) {
  const auto* const told = std::get_if<storage::wal_message>(&piece.events.front());
  return told != nullptr && told->prefix == "fence";
}

/// Every piece before a fence that is written now.
inline std::vector<storage::feed_piece> read_all(storage::wal_stream& stream) {
  emit("fence", "");
  auto all = std::vector<storage::feed_piece>{};
  for (;;) {
    auto piece = next_piece(stream);
    if (is_fence(piece)) {
      return all;
    }
    all.push_back(std::move(piece));
  }
}

/// The changes of public.feed_case before a fence that is written now.
inline std::vector<storage::row_change> read_rows(storage::wal_stream& stream) {
  auto rows = std::vector<storage::row_change>{};
  for (auto& piece : read_all(stream)) {
    for (auto& event : piece.events) {
      auto* const row = std::get_if<storage::row_change>(&event);
      if (row != nullptr && row->table()->name == "feed_case") {
        rows.push_back(std::move(*row));
      }
    }
  }
  return rows;
}

/// For a check's message.
inline std::string why(const auto& got) {
  return got ? "it succeeded"
             : std::format("{}: {}", name(got.error().code), got.error().what);
}

/// The text of a column in the new row, or in the old one.
inline std::string of(const storage::row_change& row, std::string_view column) {
  return std::string{row.row().text(column).value_or("<none>")};
}

inline std::string old_of(const storage::row_change& row, std::string_view column) {
  return std::string{row.old().text(column).value_or("<none>")};
}

/// Asks the database until it says yes.
inline bool becomes_true(const std::string& sql,
                         std::vector<storage::parameter> values = {}) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < end) {
    if (text_of(sql, values) == "t") {
      return true;
    }
  }
  return false;
}

} // namespace jessica::test
