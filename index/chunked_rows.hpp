// Rows of equal size that are only ever appended: a copy shares them, and stays as it
// is while the original grows.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace jessica::index {

/// A copy costs a pointer for 256 rows. The owner alone appends; what a copy sees is
/// never written again, so that another thread may read it meanwhile.
class chunked_rows {
public:
  static constexpr auto chunk_rows = std::size_t{256};

  explicit chunked_rows(std::size_t row_bytes) : row_bytes_{row_bytes} {}
  /// Rows that lie one after the other in memory which `owner` keeps.
  chunked_rows(std::size_t row_bytes, std::span<const std::byte> rows,
               std::shared_ptr<const void> owner);

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t row_bytes() const noexcept { return row_bytes_; }
  /// Of memory, what is kept for rows to come included.
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

  [[nodiscard]] const std::byte* operator[](std::size_t row) const noexcept {
    return first_[row / chunk_rows] + row % chunk_rows * row_bytes_;
  }
  /// The next append cannot fail for want of memory. Changes nothing when it fails.
  void reserve_one();
  /// A new last row, to be filled before anything else is done.
  [[nodiscard]] std::byte* append();
  /// Rows from `row` on that lie one after the other; empty at the end.
  [[nodiscard]] std::span<const std::byte> run(std::size_t row) const noexcept;

private:
  struct chunk {
    std::shared_ptr<const void> owner;
    std::byte* room = nullptr; ///< null: not ours to write
    std::size_t capacity = 0;
  };
  void move_to(std::size_t capacity);

  std::size_t row_bytes_;
  std::size_t size_ = 0;
  std::size_t bytes_ = 0;
  std::vector<const std::byte*>
      first_; ///< row of each chunk; apart, as searches read it
  std::vector<chunk> chunks_;
};

} // namespace jessica::index
