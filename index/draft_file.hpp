// A file that appears under its name only when it is whole and on the disk.
#pragma once

#include "domain/error.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace jessica::index {

/// One thread. Failures of the disk are kept until publish() says them.
class draft_file {
public:
  /// Begins with `head_bytes` of zeros, which publish() fills in. The draft lies beside
  /// `file`; what another left behind there is overwritten.
  draft_file(const std::filesystem::path& file, std::size_t head_bytes);
  /// What was not published is gone.
  ~draft_file();
  draft_file(const draft_file&) = delete;
  draft_file& operator=(const draft_file&) = delete;

  [[nodiscard]] std::uint64_t position() const noexcept { return position_; }
  void append(std::span<const std::byte> bytes);
  /// Zeros up to a multiple of a cache line.
  void align();
  /// Fails: unavailable (disk).
  [[nodiscard]] result<void> publish(std::span<const std::byte> head);

private:
  void flush();
  void write_at(std::uint64_t offset, std::span<const std::byte> bytes);
  [[nodiscard]] bool sync_folder() const;

  std::filesystem::path file_;
  std::filesystem::path draft_;
  int descriptor_ = -1;
  int failure_ = 0; ///< errno of the first
  std::uint64_t position_ = 0;
  std::uint64_t written_ = 0;
  std::vector<std::byte> buffer_;
};

} // namespace jessica::index
