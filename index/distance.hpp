// Inner products, once for every instruction set worth having; the machine's best is
// chosen when the program runs. Debian's FAISS has none of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace jessica::index {

/// Inner products of `n` numbers, in one instruction set. No alignment is asked for.
/// The integer ones are exact: the same from every set; the caller keeps the sum in
/// range.
struct kernels {
  std::string_view name;
  float (*floats)(const float* a, const float* b, std::size_t n);
  std::int32_t (*shorts)(const std::int16_t* a, const std::int8_t* b, std::size_t n);
  std::int32_t (*bytes)(const std::int8_t* a, const std::int8_t* b, std::size_t n);
};

/// All that this machine can run, the fastest first, plain loops last. Any thread.
[[nodiscard]] std::span<const kernels> kernels_here() noexcept;

} // namespace jessica::index
