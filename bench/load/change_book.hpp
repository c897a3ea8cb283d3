// Checks that every follower of a table is told of each of its user's rows once, in
// order, and of nobody else's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace jessica::bench {

/// Row n, from 0, belongs to user n % users; follower f acts for user f % users.
class change_book {
public:
  change_book(std::size_t followers, std::size_t users);

  /// True: the row was this follower's next one, or some before it are missing.
  bool take(std::size_t follower, std::uint64_t row);
  /// Rows below `rows` that a follower has not got by now are missing.
  void close(std::uint64_t rows);

  [[nodiscard]] std::uint64_t missing() const noexcept { return missing_; }
  /// Came twice, or after a later one.
  [[nodiscard]] std::uint64_t repeated() const noexcept { return repeated_; }
  /// Told to a follower who may not see them.
  [[nodiscard]] std::uint64_t leaked() const noexcept { return leaked_; }

private:
  std::uint64_t users_;
  std::vector<std::uint64_t> next_; ///< row of each follower
  std::uint64_t missing_ = 0;
  std::uint64_t repeated_ = 0;
  std::uint64_t leaked_ = 0;
};

} // namespace jessica::bench
