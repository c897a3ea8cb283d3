// The table that `changes` follows, and a writer of its rows, who has a thread.
#pragma once

#include "domain/error.hpp"
#include "storage/endpoint.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <semaphore>
#include <span>
#include <string>
#include <vector>

namespace jessica::bench {

/// A published table of (n, user_id, body) whose one policy is its owner.
[[nodiscard]] result<void> make_followed_table(const storage::endpoint& where);

/// Of all writers together.
struct pace {
  std::size_t rows = 1; ///< of one commit
  double rate = 0;      ///< commits a second; 0: as soon as few enough are under way
  std::chrono::seconds length{1};
};

/// Commits that may still be made before another one is delivered.
using commit_budget = std::counting_semaphore<>;

/// Who writes, as change_book numbers rows, and from which of its rows on.
struct writer_place {
  std::size_t number = 0;
  std::size_t writers = 1;
  std::uint64_t first = 0;
};

class change_writer {
public:
  using clock = std::chrono::steady_clock;

  struct commit {
    clock::time_point due;
    clock::time_point sent;         ///< the statement went out
    clock::time_point acknowledged; ///< PostgreSQL said that it is committed
  };

  /// Rows take turns among the users. The budget is for a pace without a rate.
  change_writer(storage::endpoint where, std::span<const std::string> users,
                writer_place at, pace how, commit_budget& budget);

  /// Writes until the time is over. Fails: timeout (what was committed is not
  /// delivered), and as storage::connection.
  [[nodiscard]] result<void> run();
  /// So many rows this writer has begun to write in its life. Any thread.
  [[nodiscard]] std::uint64_t rows() const { return rows_.load(); }

  /// After run().
  [[nodiscard]] const std::vector<commit>& commits() const noexcept { return done_; }

private:
  [[nodiscard]] clock::time_point next_due(clock::time_point begun) const;
  [[nodiscard]] result<void> await_turn(clock::time_point due);

  storage::endpoint where_;
  std::string users_; ///< an array's literal
  writer_place at_;
  pace how_;
  commit_budget& budget_;
  std::atomic<std::uint64_t> rows_;
  std::vector<commit> done_;
};

} // namespace jessica::bench
