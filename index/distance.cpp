#include "index/distance.hpp"

#include "index/distance_x86.hpp"
#include "index/sketch_x86.hpp"

#include <array>
#include <bit>
#include <cstring>

namespace jessica::index {
namespace {

float plain_floats(const float* a, const float* b, std::size_t n) {
  auto sum = 0.0F;
  for (auto i = std::size_t{0}; i < n; ++i)
    sum += a[i] * b[i];
  return sum;
}

std::int32_t plain_shorts(const std::int16_t* a, const std::int8_t* b, std::size_t n) {
  auto sum = std::int32_t{0};
  for (auto i = std::size_t{0}; i < n; ++i)
    sum += a[i] * b[i];
  return sum;
}

std::int32_t plain_bytes(const std::int8_t* a, const std::int8_t* b, std::size_t n) {
  auto sum = std::int32_t{0};
  for (auto i = std::size_t{0}; i < n; ++i)
    sum += a[i] * b[i];
  return sum;
}

void plain_sketches(bit_planes query, const std::byte* rows, std::size_t stride,
                    std::size_t count, std::int32_t* sums) {
  for (auto row = std::size_t{0}; row < count; ++row) {
    auto sum = 0;
    for (auto word = std::size_t{0}; word < query.words; ++word) {
      auto bits = std::uint64_t{0};
      std::memcpy(&bits, rows + row * stride + word * sizeof bits, sizeof bits);
      const auto* plane = query.bits + word;
      sum += std::popcount(bits & plane[0]) +
             2 * std::popcount(bits & plane[query.words]) +
             4 * std::popcount(bits & plane[2 * query.words]) -
             8 * std::popcount(bits & plane[3 * query.words]);
    }
    sums[row] = sum;
  }
}

std::size_t plain_not_below(const float* numbers, std::size_t n, float bar,
                            std::uint32_t* places) {
  auto count = std::size_t{0};
  for (auto i = std::size_t{0}; i < n; ++i) {
    places[count] = static_cast<std::uint32_t>(i);
    count += numbers[i] < bar ? 0U : 1U;
  }
  return count;
}

struct choice {
  std::array<kernels, 3> sets;
  std::size_t count = 0;

  void add(const kernels& one) { sets[count++] = one; }
};

choice choose() noexcept {
  auto all = choice{};
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"))
    all.add(
        {"avx512", avx512_floats, avx512_shorts, avx512_bytes,
         __builtin_cpu_supports("avx512vpopcntdq") ? avx512_sketches : popcnt_sketches,
         avx512_not_below});
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    all.add({"avx2", avx2_floats, avx2_shorts, avx2_bytes, popcnt_sketches,
             avx2_not_below});
#endif
  all.add({"plain", plain_floats, plain_shorts, plain_bytes, plain_sketches,
           plain_not_below});
  return all;
}

} // namespace

std::span<const kernels> kernels_here() noexcept {
  static const auto all = choose();
  return {all.sets.data(), all.count};
}

} // namespace jessica::index
