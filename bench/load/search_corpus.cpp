#include "bench/load/search_corpus.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <numeric>
#include <random>
#include <utility>

namespace jessica::bench {
namespace {

constexpr auto topic_count = std::size_t{1'000};
constexpr auto topics_of_user = std::size_t{20};
constexpr auto direction_count = std::size_t{24};
constexpr auto noise_count = std::size_t{1} << 20;
constexpr auto width = search_corpus::dimensions;

/// A well spread number from any.
std::uint64_t spread(std::uint64_t x) {
  x += 0x9E37'79B9'7F4A'7C15;
  x = (x ^ (x >> 30U)) * 0xBF58'476D'1CE4'E5B9;
  x = (x ^ (x >> 27U)) * 0x94D0'49BB'1331'11EB;
  return x ^ (x >> 31U);
}

void make_unit(std::span<float> vector) {
  auto squares = 0.0F;
  for (const auto x : vector)
    squares += x * x;
  const auto scale = 1 / std::sqrt(squares);
  for (auto& x : vector)
    x *= scale;
}

std::vector<float> units(std::size_t count, std::mt19937& random) {
  auto normal = std::normal_distribution<float>{};
  auto all = std::vector<float>(count * width);
  for (auto& x : all)
    x = normal(random);
  for (auto i = std::size_t{0}; i < count; ++i)
    make_unit(std::span{all}.subspan(i * width, width));
  return all;
}

} // namespace

search_corpus::search_corpus(std::size_t vectors, std::size_t owners)
    : count_{vectors}, owners_{owners}, noise_(noise_count), vectors_(vectors * width) {
  auto random = std::mt19937{1};
  auto normal = std::normal_distribution<float>{};
  for (auto& x : noise_)
    x = normal(random);
  topics_ = units(topic_count, random);
  directions_ = units(direction_count, random);
  for (auto n = std::size_t{0}; n < vectors; ++n)
    std::ranges::copy(draw(n % owners, n),
                      vectors_.begin() + static_cast<std::ptrdiff_t>(n * width));
}

search_corpus::search_corpus(std::vector<float> vectors, std::vector<float> asked,
                             std::size_t owners)
    : count_{vectors.size() / width},
      owners_{owners},
      vectors_{std::move(vectors)},
      asked_{std::move(asked)} {}

std::span<const float> search_corpus::vector(std::size_t n) const noexcept {
  return std::span{vectors_}.subspan(n * width, width);
}

std::vector<float> search_corpus::draw(std::size_t owner, std::uint64_t seed) const {
  constexpr auto along = 0.7F / 4.9F; // of each direction: 0.7 of all 24
  constexpr auto beside = 0.25F / 22.6F;
  auto number = spread(seed);
  const auto topic =
      spread(owner * topics_of_user + number % topics_of_user) % topic_count;
  const auto from = topics_.begin() + static_cast<std::ptrdiff_t>(topic * width);
  auto made = std::vector<float>(from, from + static_cast<std::ptrdiff_t>(width));
  number = spread(number);
  const auto* noise = noise_.data() + number % (noise_count - width - direction_count);
  for (auto i = std::size_t{0}; i < width; ++i)
    made[i] += noise[i] * beside;
  for (auto d = std::size_t{0}; d < direction_count; ++d) {
    const auto far = noise[width + d] * along;
    const auto* direction = directions_.data() + d * width;
    for (auto i = std::size_t{0}; i < width; ++i)
      made[i] += far * direction[i];
  }
  make_unit(made);
  return made;
}

std::vector<std::uint32_t> search_corpus::nearest(std::size_t owner,
                                                  std::span<const float> to) const {
  auto all = std::vector<std::pair<double, std::uint32_t>>{};
  for (auto n = owner; n < count_; n += owners_) {
    const auto one = vector(n);
    // Side by side, or this would take longer than all that is measured.
    constexpr auto lanes = std::size_t{8};
    auto sums = std::array<double, lanes>{};
    for (auto i = std::size_t{0}; i < width; i += lanes)
      for (auto lane = std::size_t{0}; lane < lanes; ++lane)
        sums[lane] +=
            static_cast<double>(one[i + lane]) * static_cast<double>(to[i + lane]);
    all.emplace_back(-std::accumulate(sums.begin(), sums.end(), 0.0),
                     static_cast<std::uint32_t>(n));
  }
  const auto most = std::min(search_results, all.size());
  std::ranges::partial_sort(all, all.begin() + static_cast<std::ptrdiff_t>(most));
  auto best = std::vector<std::uint32_t>{};
  for (auto i = std::size_t{0}; i < most; ++i)
    best.push_back(all[i].second);
  return best;
}

std::vector<search_corpus::question> search_corpus::questions(std::size_t count) const {
  constexpr auto not_a_vector = std::uint64_t{1} << 40U;
  auto all = std::vector<question>{};
  if (!asked_.empty())
    count = std::min(count, asked_.size() / width);
  for (auto n = std::uint64_t{0}; n < count; ++n) {
    auto one = question{.owner = spread(n) % owners_, .vector = {}, .answer = {}};
    if (asked_.empty())
      one.vector = draw(one.owner, not_a_vector + n);
    else
      std::ranges::copy(std::span{asked_}.subspan(n * width, width),
                        std::back_inserter(one.vector));
    one.answer = nearest(one.owner, one.vector);
    all.push_back(std::move(one));
  }
  return all;
}

double recall_of(std::span<const std::uint32_t> found,
                 const search_corpus::question& asked) {
  if (asked.answer.empty())
    return 1;
  const auto there = std::ranges::count_if(asked.answer, [&](std::uint32_t n) {
    return std::ranges::find(found, n) != found.end();
  });
  return static_cast<double>(there) / static_cast<double>(asked.answer.size());
}

} // namespace jessica::bench
