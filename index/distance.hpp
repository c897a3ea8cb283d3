// Inner products, once for every instruction set worth having; the machine's best is
// chosen when the program runs. Debian's FAISS has none of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace jessica::index {

/// Integers of 4 bits in two's complement: the first bit of all of them, then the
/// second of all and so on, in `words` words each. `words` is a multiple of 8.
struct bit_planes {
  const std::uint64_t* bits;
  std::size_t words;
};

/// Inner products of `n` numbers, in one instruction set. No alignment is asked for.
/// The integer ones are exact: the same from every set; the caller keeps the sum in
/// range.
struct kernels {
  std::string_view name;
  float (*floats)(const float* a, const float* b, std::size_t n);
  std::int32_t (*shorts)(const std::int16_t* a, const std::int8_t* b, std::size_t n);
  std::int32_t (*bytes)(const std::int8_t* a, const std::int8_t* b, std::size_t n);
  /// For each of `count` rows, `stride` bytes apart, the sum of those integers whose
  /// bit is set in the row.
  void (*sketches)(bit_planes query, const std::byte* rows, std::size_t stride,
                   std::size_t count, std::int32_t* sums);
  /// The places of the numbers that are not below `bar`, NaN included, ascending.
  /// `places` has room for `n`, and what is behind those told may be overwritten.
  std::size_t (*not_below)(const float* numbers, std::size_t n, float bar,
                           std::uint32_t* places);
};

/// All that this machine can run, the fastest first, plain loops last. Any thread.
[[nodiscard]] std::span<const kernels> kernels_here() noexcept;

} // namespace jessica::index
