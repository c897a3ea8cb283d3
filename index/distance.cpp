#include "index/distance.hpp"

#include "index/distance_x86.hpp"

#include <array>

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
    all.add({"avx512", avx512_floats, avx512_shorts, avx512_bytes});
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    all.add({"avx2", avx2_floats, avx2_shorts, avx2_bytes});
#endif
  all.add({"plain", plain_floats, plain_shorts, plain_bytes});
  return all;
}

} // namespace

std::span<const kernels> kernels_here() noexcept {
  static const auto all = choose();
  return {all.sets.data(), all.count};
}

} // namespace jessica::index
