// Jobs that wait for their turn: users take turns, and one user runs only a few at
// once.
#pragma once

#include "domain/chat.hpp"

#include <cstddef>
#include <deque>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace jessica::actors {

/// One thread at a time.
class fair_queue {
public:
  /// At most `each` jobs of one user run at once.
  explicit fair_queue(std::size_t each) : each_(each) {}

  void push(job what);
  /// The job whose turn it is; it counts as running from now on. Nullopt: nobody who
  /// waits may run one more.
  [[nodiscard]] std::optional<job> take();
  /// A job that was taken has ended.
  void ended(user_id whose);
  /// Takes a job out before its turn; it counts as running from now on.
  [[nodiscard]] std::optional<job> remove(job_id which);
  /// Forgets all that wait and run.
  void clear();

  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_; }
  /// Appends the jobs that wait.
  void list_waiting(std::unordered_set<job_id>& to) const;
  /// Users who run, or wait with, as many as they may run at once.
  [[nodiscard]] std::vector<user_id> full() const;

private:
  struct line {
    std::size_t running = 0;
    std::deque<job> waiting;
    bool in_turns = false;
  };
  void give_turn(user_id whose, line& of);

  std::size_t each_;
  std::size_t waiting_ = 0;
  std::unordered_map<user_id, line> lines_;
  std::deque<user_id> turns_; ///< users who wait and may run, each once
};

} // namespace jessica::actors
