#include "index/sketch.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace jessica::index {
namespace {

constexpr auto least_bits = std::size_t{512};
constexpr auto most_bits = std::size_t{16'384};
constexpr auto word_bits = std::size_t{64};
constexpr auto turns = std::size_t{2};
/// The integers of a query go from -7 to 7.
constexpr auto query_bits = std::size_t{4};
constexpr auto largest_step = 7.0F;
/// Standard deviations that an estimate may be off before a near row is missed. Rows at
/// the bar are missed less often than one in 500, nearer ones hardly ever.
constexpr auto deviations = 3.0F;
constexpr auto none = std::numeric_limits<float>::quiet_NaN();

/// What follows the bits of a row.
struct row_tail {
  float factor; ///< of the sum of the query's numbers, each with the row's sign
  float error;
};

/// The same on every machine: sketches are kept in files.
std::uint64_t spread(std::uint64_t x) {
  x = (x ^ (x >> 30U)) * 0xBF58'476D'1CE4'E5B9;
  x = (x ^ (x >> 27U)) * 0x94D0'49BB'1331'11EB;
  return x ^ (x >> 31U);
}

row_tail tail_of(const std::byte* row, std::size_t words) {
  auto tail = row_tail{};
  std::memcpy(&tail, row + words * sizeof(std::uint64_t), sizeof tail);
  return tail;
}

/// Walsh and Hadamard's: sums and differences over all pairs, without its scale.
void mix(std::span<float> x) {
  constexpr auto wide = std::size_t{8};
  for (auto from = std::size_t{0}; from < x.size(); from += wide) {
    auto* const y = x.data() + from;
    const auto a = std::array{y[0] + y[1], y[0] - y[1], y[2] + y[3], y[2] - y[3],
                              y[4] + y[5], y[4] - y[5], y[6] + y[7], y[6] - y[7]};
    const auto b = std::array{a[0] + a[2], a[1] + a[3], a[0] - a[2], a[1] - a[3],
                              a[4] + a[6], a[5] + a[7], a[4] - a[6], a[5] - a[7]};
    for (auto i = std::size_t{0}; i < wide / 2; ++i) {
      y[i] = b[i] + b[i + wide / 2];
      y[i + wide / 2] = b[i] - b[i + wide / 2];
    }
  }
  for (auto half = wide; half < x.size(); half *= 2)
    for (auto from = std::size_t{0}; from < x.size(); from += 2 * half) {
      auto* const low = x.data() + from;
      auto* const high = low + half;
      for (auto i = std::size_t{0}; i < half; i += wide)
        for (auto lane = i; lane < i + wide; ++lane) {
          const auto a = low[lane];
          const auto b = high[lane];
          low[lane] = a + b;
          high[lane] = a - b;
        }
    }
}

} // namespace

void sketched_query::estimate(const std::byte* rows,
                              std::span<float> to) const noexcept {
  constexpr auto at_once = std::size_t{64};
  auto sums = std::array<std::int32_t, at_once>{};
  for (auto from = std::size_t{0}; from < to.size(); from += at_once) {
    const auto count = std::min(at_once, to.size() - from);
    const auto first = rows + from * row_bytes_;
    with_->sketches({planes_.data(), words_}, first, row_bytes_, count, sums.data());
    for (auto i = std::size_t{0}; i < count; ++i) {
      const auto signed_sum = static_cast<float>(2 * sums[i] - total_);
      to[from + i] =
          signed_sum * step_ * tail_of(first + i * row_bytes_, words_).factor;
    }
  }
}

std::span<std::uint32_t>
sketched_query::not_below(std::span<const float> estimates, float bar,
                          std::span<std::uint32_t> places) const noexcept {
  return places.first(
      with_->not_below(estimates.data(), estimates.size(), bar, places.data()));
}

float sketched_query::reach(float bar) const noexcept {
  // What of the query lies along the row is not estimated, but known.
  const auto cosine = length_ > 0 ? std::clamp(bar / length_, 0.0F, 1.0F) : 0.0F;
  const auto beside = length_ * length_ * (1 - cosine * cosine);
  return deviations * std::sqrt(beside + rounding_ * rounding_);
}

float sketched_query::error_of(const std::byte* row) const noexcept {
  return tail_of(row, words_).error;
}

sketch_code::sketch_code(std::size_t dimensions, const kernels& with)
    : bits_{std::bit_ceil(std::max(dimensions, least_bits))},
      row_bytes_{bits_ / 8 + sizeof(row_tail)},
      signs_(turns * bits_),
      with_{&with} {
  for (auto i = std::size_t{0}; i < signs_.size(); ++i)
    signs_[i] = spread((i + 1) * 0x9E37'79B9'7F4A'7C15) >> 63U != 0 ? -1.0F : 1.0F;
}

/// With a scale that keeps its length.
std::span<float> sketch_code::rotate(std::span<const float> vector,
                                     std::span<float> to) const noexcept {
  const auto turned = to.first(bits_);
  std::ranges::fill(std::ranges::copy(vector, turned.begin()).out, turned.end(), 0.0F);
  for (auto turn = std::size_t{0}; turn < turns; ++turn) {
    const auto* signs = signs_.data() + turn * bits_;
    for (auto i = std::size_t{0}; i < bits_; ++i)
      turned[i] *= signs[i];
    mix(turned);
  }
  const auto scale =
      static_cast<float>(std::pow(static_cast<double>(bits_), -0.5 * turns));
  for (auto& x : turned)
    x *= scale;
  return turned;
}

void sketch_code::encode(std::span<const float> vector, std::byte* row) const noexcept {
  constexpr auto nearly = 1e-3F;
  std::array<float, most_bits> room; // not filled: most vectors need little of it
  const auto turned = rotate(vector, room);
  auto sum = 0.0F;
  auto squares = 0.0F;
  for (auto word = std::size_t{0}; word < bits_ / word_bits; ++word) {
    auto bits = std::uint64_t{0};
    for (auto i = std::size_t{0}; i < word_bits; ++i) {
      const auto x = turned[word * word_bits + i];
      bits |= std::uint64_t{x > 0 ? 1U : 0U} << i;
      sum += std::abs(x);
      squares += x * x;
    }
    std::memcpy(row + word * sizeof bits, &bits, sizeof bits);
  }
  const auto count = static_cast<float>(bits_);
  const auto along = sum * sum / (count * squares); // cosine of row and signs, squared
  const auto tail =
      std::abs(squares - 1) < nearly
          ? row_tail{squares / sum,
                     std::sqrt(std::max(0.0F, 1 / along - 1) / (count - 1))}
          : row_tail{none, std::numeric_limits<float>::infinity()};
  std::memcpy(row + bits_ / 8, &tail, sizeof tail);
}

sketched_query sketch_code::query(std::span<const float> vector) const {
  auto room = std::vector<float>(bits_);
  const auto turned = rotate(vector, room);
  auto largest = 0.0F;
  auto sum = 0.0F;
  auto squares = 0.0F;
  for (const auto x : turned) {
    sum += std::abs(x);
    largest = std::max(largest, std::abs(x));
    squares += x * x;
  }
  auto made = sketched_query{};
  made.words_ = bits_ / word_bits;
  made.row_bytes_ = row_bytes_;
  made.with_ = with_;
  made.length_ = std::sqrt(squares);
  // Of a rotated vector hardly any has more.
  made.usual_error_ = 1.05F / std::sqrt(static_cast<float>(bits_));
  const auto nominal = largest / largest_step;
  // An integer is off by 0.29 steps, and a row's error is about 0.75 of what divides.
  made.rounding_ = 0.5F * nominal * std::sqrt(static_cast<float>(bits_));
  made.planes_.resize(query_bits * made.words_);
  const auto per_unit = largest > 0 ? largest_step / largest : 0.0F;
  auto steps = std::int32_t{0};
  for (auto word = std::size_t{0}; word < made.words_; ++word) {
    auto planes = std::array<std::uint64_t, query_bits>{};
    for (auto i = std::size_t{0}; i < word_bits; ++i) {
      const auto above = turned[word * word_bits + i] * per_unit + largest_step + 1.5F;
      const auto number = static_cast<std::int32_t>(above) - 8; // rounded
      made.total_ += number;
      steps += std::abs(number);
      for (auto bit = std::size_t{0}; bit < query_bits; ++bit)
        planes[bit] |= (static_cast<std::uint64_t>(number) >> bit & 1U) << i;
    }
    for (auto bit = std::size_t{0}; bit < query_bits; ++bit)
      made.planes_[bit * made.words_ + word] = planes[bit];
  }
  // Small numbers are rounded to 0 more often than up: with this step what is like the
  // query is estimated without bias all the same.
  made.step_ = steps > 0 ? sum / static_cast<float>(steps) : 0.0F;
  return made;
}

} // namespace jessica::index
