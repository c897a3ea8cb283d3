#include "index/distance_x86.hpp"

#if defined(__x86_64__)

#include <immintrin.h>

// Chosen by function pointer, not by the linker's ifunc: those are resolved before a
// sanitizer's runtime is up. Four sums run side by side, as an addition takes four
// cycles.
namespace jessica::index {
namespace {

__attribute__((target("avx2,fma"))) float sum_of(__m256 x) {
  const auto four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  const auto two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

__attribute__((target("avx2,fma"))) std::int32_t sum_of(__m256i x) {
  const auto four =
      _mm_add_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
  const auto two = _mm_add_epi32(four, _mm_unpackhi_epi64(four, four));
  return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 1)));
}

/// 16 bytes as 16 shorts.
__attribute__((target("avx2,fma"))) __m256i widened(const std::int8_t* from) {
  return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
}

__attribute__((target("avx2,fma"))) __m256i shorts_at(const std::int16_t* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}

} // namespace

__attribute__((target("avx2,fma"))) float avx2_floats(const float* a, const float* b,
                                                      std::size_t n) {
  auto s0 = _mm256_setzero_ps();
  auto s1 = _mm256_setzero_ps();
  auto s2 = _mm256_setzero_ps();
  auto s3 = _mm256_setzero_ps();
  auto i = std::size_t{0};
  for (; i + 32 <= n; i += 32) {
    s0 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i), s0);
    s1 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 8), _mm256_loadu_ps(b + i + 8), s1);
    s2 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 16), _mm256_loadu_ps(b + i + 16), s2);
    s3 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 24), _mm256_loadu_ps(b + i + 24), s3);
  }
  for (; i + 8 <= n; i += 8)
    s0 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i), s0);
  auto sum = sum_of(_mm256_add_ps(_mm256_add_ps(s0, s1), _mm256_add_ps(s2, s3)));
  for (; i < n; ++i)
    sum += a[i] * b[i];
  return sum;
}

__attribute__((target("avx2,fma"))) std::int32_t
avx2_shorts(const std::int16_t* a, const std::int8_t* b, std::size_t n) {
  auto s0 = _mm256_setzero_si256();
  auto s1 = _mm256_setzero_si256();
  auto i = std::size_t{0};
  for (; i + 32 <= n; i += 32) {
    s0 = _mm256_add_epi32(s0, _mm256_madd_epi16(shorts_at(a + i), widened(b + i)));
    s1 = _mm256_add_epi32(
        s1, _mm256_madd_epi16(shorts_at(a + i + 16), widened(b + i + 16)));
  }
  for (; i + 16 <= n; i += 16)
    s0 = _mm256_add_epi32(s0, _mm256_madd_epi16(shorts_at(a + i), widened(b + i)));
  auto sum = sum_of(_mm256_add_epi32(s0, s1));
  for (; i < n; ++i)
    sum += a[i] * b[i];
  return sum;
}

__attribute__((target("avx2,fma"))) std::int32_t
avx2_bytes(const std::int8_t* a, const std::int8_t* b, std::size_t n) {
  auto s0 = _mm256_setzero_si256();
  auto s1 = _mm256_setzero_si256();
  auto i = std::size_t{0};
  for (; i + 32 <= n; i += 32) {
    s0 = _mm256_add_epi32(s0, _mm256_madd_epi16(widened(a + i), widened(b + i)));
    s1 = _mm256_add_epi32(s1,
                          _mm256_madd_epi16(widened(a + i + 16), widened(b + i + 16)));
  }
  for (; i + 16 <= n; i += 16)
    s0 = _mm256_add_epi32(s0, _mm256_madd_epi16(widened(a + i), widened(b + i)));
  auto sum = sum_of(_mm256_add_epi32(s0, s1));
  for (; i < n; ++i)
    sum += a[i] * b[i];
  return sum;
}

__attribute__((target("avx512f,avx512bw"))) float
avx512_floats(const float* a, const float* b, std::size_t n) {
  auto s0 = _mm512_setzero_ps();
  auto s1 = _mm512_setzero_ps();
  auto s2 = _mm512_setzero_ps();
  auto s3 = _mm512_setzero_ps();
  auto i = std::size_t{0};
  for (; i + 64 <= n; i += 64) {
    s0 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i), s0);
    s1 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 16), _mm512_loadu_ps(b + i + 16), s1);
    s2 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 32), _mm512_loadu_ps(b + i + 32), s2);
    s3 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 48), _mm512_loadu_ps(b + i + 48), s3);
  }
  for (; i < n; i += 16) { // the rest; what is past the end counts as 0
    const auto left = n - i;
    const auto mask = static_cast<__mmask16>(left < 16 ? (1U << left) - 1U : 0xFFFFU);
    s0 = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(mask, a + i),
                         _mm512_maskz_loadu_ps(mask, b + i), s0);
  }
  return _mm512_reduce_add_ps(
      _mm512_add_ps(_mm512_add_ps(s0, s1), _mm512_add_ps(s2, s3)));
}

__attribute__((target("avx512f,avx512bw"))) std::int32_t
avx512_shorts(const std::int16_t* a, const std::int8_t* b, std::size_t n) {
  auto s0 = _mm512_setzero_si512();
  auto s1 = _mm512_setzero_si512();
  auto i = std::size_t{0};
  for (; i + 64 <= n; i += 64) {
    const auto b0 = _mm512_cvtepi8_epi16(
        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b + i)));
    const auto b1 = _mm512_cvtepi8_epi16(
        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b + i + 32)));
    s0 = _mm512_add_epi32(s0, _mm512_madd_epi16(_mm512_loadu_si512(a + i), b0));
    s1 = _mm512_add_epi32(s1, _mm512_madd_epi16(_mm512_loadu_si512(a + i + 32), b1));
  }
  const auto sum = _mm512_reduce_add_epi32(_mm512_add_epi32(s0, s1));
  auto rest = std::int32_t{0};
  for (; i < n; ++i)
    rest += a[i] * b[i];
  return sum + rest;
}

__attribute__((target("avx512f,avx512bw"))) std::int32_t
avx512_bytes(const std::int8_t* a, const std::int8_t* b, std::size_t n) {
  auto s0 = _mm512_setzero_si512();
  auto i = std::size_t{0};
  for (; i + 32 <= n; i += 32) {
    const auto wide_a = _mm512_cvtepi8_epi16(
        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a + i)));
    const auto wide_b = _mm512_cvtepi8_epi16(
        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b + i)));
    s0 = _mm512_add_epi32(s0, _mm512_madd_epi16(wide_a, wide_b));
  }
  const auto sum = _mm512_reduce_add_epi32(s0);
  auto rest = std::int32_t{0};
  for (; i < n; ++i)
    rest += a[i] * b[i];
  return sum + rest;
}

} // namespace jessica::index

#endif
