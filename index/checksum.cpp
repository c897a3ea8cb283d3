#include "index/checksum.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace jessica::index {
namespace {

/// Odd, so that multiplying loses nothing; half of its bits are set.
constexpr auto factor = std::uint64_t{0x9E37'79B9'7F4A'7C15};

/// Every step can be undone, so two sums that differ stay different. The turn brings
/// the high bits, which multiplying does not spread, down again.
constexpr std::uint64_t stirred(std::uint64_t sum, std::uint64_t word) noexcept {
  return std::rotl((sum ^ word) * factor, 29);
}

} // namespace

void checksum::mix(const std::byte* block) noexcept {
  auto words = std::array<std::uint64_t, lanes>{};
  std::memcpy(words.data(), block, block_bytes);
  for (auto lane = std::size_t{0}; lane < lanes; ++lane)
    sums_[lane] = stirred(sums_[lane], words[lane] + lane + 1);
}

void checksum::add(std::span<const std::byte> bytes) noexcept {
  if (bytes.empty())
    return;
  const auto held = static_cast<std::size_t>(length_ % block_bytes);
  length_ += bytes.size();
  if (held != 0) {
    const auto missing = std::min(block_bytes - held, bytes.size());
    std::memcpy(rest_.data() + held, bytes.data(), missing);
    bytes = bytes.subspan(missing);
    if (held + missing < block_bytes)
      return;
    mix(rest_.data());
  }
  for (; bytes.size() >= block_bytes; bytes = bytes.subspan(block_bytes))
    mix(bytes.data());
  if (!bytes.empty())
    std::memcpy(rest_.data(), bytes.data(), bytes.size());
}

std::uint64_t checksum::value() const noexcept {
  auto last = *this;
  const auto held = static_cast<std::size_t>(length_ % block_bytes);
  if (held != 0) {
    std::fill(last.rest_.begin() + static_cast<std::ptrdiff_t>(held), last.rest_.end(),
              std::byte{0});
    last.mix(last.rest_.data());
  }
  auto sum = length_; // tells a short block from one that ends in zeros
  for (const auto lane : last.sums_)
    sum = stirred(sum, lane);
  return sum ^ sum >> 32U;
}

std::uint64_t checksum_of(std::span<const std::byte> bytes) noexcept {
  auto sum = checksum{};
  sum.add(bytes);
  return sum.value();
}

} // namespace jessica::index
