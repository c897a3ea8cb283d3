// The kernels of distance.hpp that read sketches. To be called only where the processor
// has AVX-512 (F, BW; for sketches VPOPCNTDQ), AVX2, POPCNT (which AVX2 implies).
#pragma once

#if defined(__x86_64__)

#include "index/distance.hpp"

namespace jessica::index {

void popcnt_sketches(bit_planes query, const std::byte* rows, std::size_t stride,
                     std::size_t count, std::int32_t* sums);
void avx512_sketches(bit_planes query, const std::byte* rows, std::size_t stride,
                     std::size_t count, std::int32_t* sums);

[[nodiscard]] std::size_t avx2_not_below(const float* numbers, std::size_t n, float bar,
                                         std::uint32_t* places);
[[nodiscard]] std::size_t avx512_not_below(const float* numbers, std::size_t n,
                                           float bar, std::uint32_t* places);

} // namespace jessica::index

#endif
