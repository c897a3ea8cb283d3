// Checks that every follower of a table is told of each of its user's rows once, of
// nobody else's, and of each writer's in order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace jessica::bench {

/// Rows are numbered so that a number tells the writer, number % writers, and which of
/// the writer's rows it is, number / writers. That one belongs to user (number /
/// writers) % users. Follower f acts for user f % users.
class change_book {
public:
  change_book(std::size_t followers, std::size_t users, std::size_t writers);

  /// True: the row was this follower's next one of its writer, or some before it are
  /// missing.
  bool take(std::size_t follower, std::uint64_t number);
  /// Of a writer's first `rows`, those that a follower has not got by now are missing.
  void close(std::size_t writer, std::uint64_t rows);

  [[nodiscard]] std::uint64_t missing() const noexcept { return missing_; }
  /// Came twice, or after a later one of its writer.
  [[nodiscard]] std::uint64_t repeated() const noexcept { return repeated_; }
  /// Told to a follower who may not see them.
  [[nodiscard]] std::uint64_t leaked() const noexcept { return leaked_; }

private:
  std::uint64_t users_;
  std::uint64_t writers_;
  std::vector<std::uint64_t> next_; ///< of each follower and writer
  std::uint64_t missing_ = 0;
  std::uint64_t repeated_ = 0;
  std::uint64_t leaked_ = 0;
};

} // namespace jessica::bench
