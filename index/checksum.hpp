// A checksum of 64 bits that keeps up with memory: for damage, not against malice.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace jessica::index {

/// Any change of one word is found for certain, any other but for one in 2^64. The sum
/// does not depend on how the bytes were cut into pieces.
class checksum {
public:
  void add(std::span<const std::byte> bytes) noexcept;
  [[nodiscard]] std::uint64_t value() const noexcept;

private:
  static constexpr auto lanes = std::size_t{8};
  static constexpr auto block_bytes = lanes * sizeof(std::uint64_t);
  void mix(const std::byte* block) noexcept;

  std::array<std::uint64_t, lanes> sums_{};
  std::array<std::byte, block_bytes> rest_{};
  std::uint64_t length_ = 0;
};

/// Of one piece.
[[nodiscard]] std::uint64_t checksum_of(std::span<const std::byte> bytes) noexcept;

} // namespace jessica::index
