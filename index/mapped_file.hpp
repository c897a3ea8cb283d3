// A file in memory, read by the system as it is touched.
#pragma once

#include "domain/error.hpp"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

namespace jessica::index {

/// What is mapped stays the same when another file takes the name.
class mapped_file {
public:
  /// Fails: not_found, unavailable (disk).
  [[nodiscard]] static result<std::shared_ptr<const mapped_file>>
  open(const std::filesystem::path& file);
  ~mapped_file();
  mapped_file(const mapped_file&) = delete;
  mapped_file& operator=(const mapped_file&) = delete;

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return bytes_; }

private:
  explicit mapped_file(std::span<std::byte> bytes) : bytes_{bytes} {}
  std::span<std::byte> bytes_;
};

} // namespace jessica::index
