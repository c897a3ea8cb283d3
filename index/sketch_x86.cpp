#include "index/sketch_x86.hpp"

#if defined(__x86_64__)

#include <immintrin.h>

#include <array>
#include <bit>
#include <cstring>

namespace jessica::index {
namespace {

constexpr auto rows_at_once = std::size_t{8};
constexpr auto words_at_once = std::size_t{8};

/// How many bits are set in both, in each eighth.
__attribute__((target("avx512f,avx512bw,avx512vpopcntdq"),
               always_inline)) inline __m512i
shared(__m512i bits, __m512i plane) {
  return _mm512_popcnt_epi64(_mm512_and_si512(bits, plane));
}

/// Eight words of each plane.
struct wide_planes {
  __m512i one;
  __m512i two;
  __m512i four;
  __m512i minus_eight;
};

__attribute__((target("avx512f,avx512bw,avx512vpopcntdq"),
               always_inline)) inline wide_planes
planes_at(bit_planes query, std::size_t word) {
  const auto* plane = query.bits + word;
  return {_mm512_loadu_si512(plane), _mm512_loadu_si512(plane + query.words),
          _mm512_loadu_si512(plane + 2 * query.words),
          _mm512_loadu_si512(plane + 3 * query.words)};
}

/// Eight sums of the integers, which add up to that of eight words.
__attribute__((target("avx512f,avx512bw,avx512vpopcntdq"),
               always_inline)) inline __m512i
sums_of(const wide_planes& planes, const std::byte* words) {
  const auto bits = _mm512_loadu_si512(words);
  const auto low = _mm512_add_epi64(shared(bits, planes.one),
                                    _mm512_slli_epi64(shared(bits, planes.two), 1));
  const auto high =
      _mm512_sub_epi64(shared(bits, planes.four),
                       _mm512_slli_epi64(shared(bits, planes.minus_eight), 1));
  return _mm512_add_epi64(low, _mm512_slli_epi64(high, 2));
}

/// The same of a whole row.
__attribute__((target("avx512f,avx512bw,avx512vpopcntdq"),
               always_inline)) inline __m512i
sums_of(bit_planes query, const std::byte* row) {
  auto sums = _mm512_setzero_si512();
  for (auto word = std::size_t{0}; word < query.words; word += words_at_once)
    sums = _mm512_add_epi64(
        sums, sums_of(planes_at(query, word), row + word * sizeof(std::uint64_t)));
  return sums;
}

/// The sums of each two neighbours of a, and between them those of b.
__attribute__((target("avx512f,avx512bw,avx512vpopcntdq"),
               always_inline)) inline __m512i
folded(__m512i a, __m512i b) {
  return _mm512_add_epi64(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
}

/// The same with neighbours of 128 bits: first those of a, then those of b.
__attribute__((target("avx512f,avx512bw,avx512vpopcntdq"),
               always_inline)) inline __m512i
folded_lanes(__m512i a, __m512i b) {
  return _mm512_add_epi64(_mm512_shuffle_i64x2(a, b, 0x88),
                          _mm512_shuffle_i64x2(a, b, 0xDD));
}

template <class Planes>
__attribute__((target("avx512f,avx512bw,avx512vpopcntdq"), always_inline)) inline void
sums_of_eight(const Planes& query, const std::byte* from, std::size_t stride,
              std::int32_t* to) {
  const auto a = folded(sums_of(query, from), sums_of(query, from + stride));
  const auto b =
      folded(sums_of(query, from + 2 * stride), sums_of(query, from + 3 * stride));
  const auto c =
      folded(sums_of(query, from + 4 * stride), sums_of(query, from + 5 * stride));
  const auto d =
      folded(sums_of(query, from + 6 * stride), sums_of(query, from + 7 * stride));
  const auto all = folded_lanes(folded_lanes(a, b), folded_lanes(c, d));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_cvtepi64_epi32(all));
}

} // namespace

__attribute__((target("popcnt"))) void
popcnt_sketches(bit_planes query, const std::byte* rows, std::size_t stride,
                std::size_t count, std::int32_t* sums) {
  for (auto row = std::size_t{0}; row < count; ++row) {
    auto sum = std::int64_t{0};
    for (auto word = std::size_t{0}; word < query.words; ++word) {
      auto bits = std::uint64_t{0};
      std::memcpy(&bits, rows + row * stride + word * sizeof bits, sizeof bits);
      const auto* plane = query.bits + word;
      sum += _mm_popcnt_u64(bits & plane[0]) +
             2 * _mm_popcnt_u64(bits & plane[query.words]) +
             4 * _mm_popcnt_u64(bits & plane[2 * query.words]) -
             8 * _mm_popcnt_u64(bits & plane[3 * query.words]);
    }
    sums[row] = static_cast<std::int32_t>(sum);
  }
}

__attribute__((target("avx512f,avx512bw,avx512vpopcntdq"))) void
avx512_sketches(bit_planes query, const std::byte* rows, std::size_t stride,
                std::size_t count, std::int32_t* sums) {
  auto row = std::size_t{0};
  if (query.words == words_at_once) { // the planes stay in registers
    const auto planes = planes_at(query, 0);
    for (; row + rows_at_once <= count; row += rows_at_once)
      sums_of_eight(planes, rows + row * stride, stride, sums + row);
  } else {
    for (; row + rows_at_once <= count; row += rows_at_once)
      sums_of_eight(query, rows + row * stride, stride, sums + row);
  }
  for (; row < count; ++row)
    sums[row] = static_cast<std::int32_t>(
        _mm512_reduce_add_epi64(sums_of(query, rows + row * stride)));
}

__attribute__((target("avx2"))) std::size_t
avx2_not_below(const float* numbers, std::size_t n, float bar, std::uint32_t* places) {
  const auto bars = _mm256_set1_ps(bar);
  auto count = std::size_t{0};
  auto i = std::size_t{0};
  for (; i + 8 <= n; i += 8) {
    const auto is = _mm256_cmp_ps(_mm256_loadu_ps(numbers + i), bars, _CMP_NLT_UQ);
    for (auto mask = static_cast<std::uint32_t>(_mm256_movemask_ps(is)); mask != 0;
         mask &= mask - 1)
      places[count++] = static_cast<std::uint32_t>(
          i + static_cast<std::size_t>(std::countr_zero(mask)));
  }
  for (; i < n; ++i)
    if (!(numbers[i] < bar))
      places[count++] = static_cast<std::uint32_t>(i);
  return count;
}

__attribute__((target("avx512f,avx512bw"))) std::size_t
avx512_not_below(const float* numbers, std::size_t n, float bar,
                 std::uint32_t* places) {
  constexpr auto width = std::size_t{16};
  const auto bars = _mm512_set1_ps(bar);
  auto numbered =
      _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  auto count = std::size_t{0};
  for (auto i = std::size_t{0}; i < n; i += width) {
    const auto left = n - i;
    const auto there =
        static_cast<__mmask16>(left < width ? (1U << left) - 1U : 0xFFFFU);
    const auto is = _mm512_mask_cmp_ps_mask(
        there, _mm512_maskz_loadu_ps(there, numbers + i), bars, _CMP_NLT_UQ);
    if (is != 0) {
      // Compressed in a register: some processors are slow to do it in memory.
      const auto some = _mm512_maskz_compress_epi32(is, numbered);
      const auto told = static_cast<std::size_t>(std::popcount(std::uint32_t{is}));
      _mm512_mask_storeu_epi32(places + count,
                               static_cast<__mmask16>((1U << told) - 1U), some);
      count += told;
    }
    numbered = _mm512_add_epi32(numbered, _mm512_set1_epi32(16));
  }
  return count;
}

} // namespace jessica::index

#endif
