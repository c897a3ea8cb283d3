// The table that `changes` follows, and the thread that writes its rows.
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

struct pace {
  std::size_t rows = 1;    ///< of one commit
  double rate = 0;         ///< commits a second; 0: as soon as few enough are under way
  std::size_t commits = 1; ///< under way at once, without a rate
  std::chrono::seconds length{1};
};

class change_writer {
public:
  using clock = std::chrono::steady_clock;

  struct commit {
    clock::time_point due;
    clock::time_point sent;         ///< the statement went out
    clock::time_point acknowledged; ///< PostgreSQL said that it is committed
  };

  /// `first`: the number of the first row. Rows take turns among the users.
  change_writer(storage::endpoint where, std::span<const std::string> users,
                std::uint64_t first, pace how);

  /// Writes until the time is over. Fails: timeout (what was committed is not
  /// delivered), and as storage::connection.
  [[nodiscard]] result<void> run();
  /// A commit has been delivered to all. Any thread.
  void delivered() { under_way_.release(); }
  /// So many rows exist now. Any thread.
  [[nodiscard]] std::uint64_t rows() const { return rows_.load(); }

  /// After run().
  [[nodiscard]] const std::vector<commit>& commits() const noexcept { return done_; }

private:
  [[nodiscard]] result<void> await_turn(clock::time_point due);

  storage::endpoint where_;
  std::string users_; ///< an array's literal
  std::uint64_t first_;
  pace how_;
  std::atomic<std::uint64_t> rows_;
  std::counting_semaphore<> under_way_;
  std::vector<commit> done_;
};

} // namespace jessica::bench
