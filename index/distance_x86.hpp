// The kernels of distance.hpp for AVX2 with FMA, and for AVX-512 (F and BW). To be
// called only where the processor has them.
#pragma once

#if defined(__x86_64__)

#include <cstddef>
#include <cstdint>

namespace jessica::index {

[[nodiscard]] float avx2_floats(const float* a, const float* b, std::size_t n);
[[nodiscard]] std::int32_t avx2_shorts(const std::int16_t* a, const std::int8_t* b,
                                       std::size_t n);
[[nodiscard]] std::int32_t avx2_bytes(const std::int8_t* a, const std::int8_t* b,
                                      std::size_t n);

[[nodiscard]] float avx512_floats(const float* a, const float* b, std::size_t n);
[[nodiscard]] std::int32_t avx512_shorts(const std::int16_t* a, const std::int8_t* b,
                                         std::size_t n);
[[nodiscard]] std::int32_t avx512_bytes(const std::int8_t* a, const std::int8_t* b,
                                        std::size_t n);

} // namespace jessica::index

#endif
