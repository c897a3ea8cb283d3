// The writers of `changes`, each with a thread, through one stretch after the other.
#pragma once

#include "bench/load/change_writer.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace jessica::bench {

/// Used by the thread that made it.
class change_crew {
public:
  change_crew(storage::endpoint where, std::vector<std::string> users,
              std::size_t writers);

  /// `commits`: under way at once, where the pace has no rate. Not while others write.
  void begin(pace how, std::size_t commits);
  /// A commit has been delivered to all.
  void delivered() { budget_->release(); }
  [[nodiscard]] bool over() const { return ended_ == writers_.size(); }
  /// Rows whose writing has begun in this stretch.
  [[nodiscard]] std::uint64_t rows() const;
  /// Waits until all writers are over. Fails: as the first of them that did.
  [[nodiscard]] result<void> end();

  /// After end(), of that stretch; nullptr: the row is of none of its commits.
  [[nodiscard]] const change_writer::commit* commit_of(std::uint64_t number) const;
  [[nodiscard]] const std::deque<change_writer>& writers() const { return writers_; }

private:
  storage::endpoint where_;
  std::vector<std::string> users_;
  std::vector<std::uint64_t> first_; ///< row of each writer in this stretch
  std::size_t rows_of_a_commit_ = 1;
  std::optional<commit_budget> budget_;
  std::deque<change_writer> writers_;
  std::vector<result<void>> outcomes_;
  std::atomic<std::size_t> ended_ = 0;
  std::vector<std::jthread> threads_; ///< the last: ends before what it uses
};

} // namespace jessica::bench
