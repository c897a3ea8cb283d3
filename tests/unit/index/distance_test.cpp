#include "index/distance.hpp"
#include "index/vector_code.hpp"
#include "tests/unit/index/clustered.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

using namespace jessica;
using namespace jessica::index;

namespace {

/// Small and odd, around every width of a register, and real ones.
constexpr auto sizes = {1UL,   2UL,   7UL,   8UL,   15UL,  16UL,   17UL,   31UL,  32UL,
                        33UL,  63UL,  64UL,  65UL,  95UL,  127UL,  129UL,  255UL, 383UL,
                        384UL, 511UL, 512UL, 513UL, 768UL, 1000UL, 1024UL, 1536UL};

template <class T>
std::vector<T> numbers(std::size_t count, int limit, std::mt19937& random) {
  auto all = std::vector<T>(count);
  auto one = std::uniform_int_distribution{-limit, limit};
  for (auto& x : all)
    x = static_cast<T>(one(random));
  return all;
}

template <class A, class B>
std::int64_t plain(const std::vector<A>& a, const std::vector<B>& b) {
  auto sum = std::int64_t{0};
  for (auto i = std::size_t{0}; i < a.size(); ++i)
    sum += std::int64_t{a[i]} * std::int64_t{b[i]};
  return sum;
}

} // namespace

TEST_SUITE("index.distance") {
  TEST_CASE("every machine has the plain kernels, and they come last") {
    REQUIRE_FALSE(kernels_here().empty());
    CHECK(kernels_here().back().name == "plain");
  }

  TEST_CASE("all kernels for floats add up what a plain loop does") {
    auto random = std::mt19937{1};
    auto one = std::normal_distribution<float>{};
    for (const auto& set : kernels_here())
      for (const auto size : sizes) {
        CAPTURE(set.name);
        CAPTURE(size);
        auto a = std::vector<float>(size + 1); // one further: must not be touched
        auto b = std::vector<float>(size + 1);
        auto sum = 0.0;
        auto magnitude = 0.0;
        for (auto i = std::size_t{0}; i < size; ++i) {
          a[i] = one(random);
          b[i] = one(random);
          const auto product = static_cast<double>(a[i]) * static_cast<double>(b[i]);
          sum += product;
          magnitude += std::abs(product);
        }
        a[size] = b[size] = 1e9F;
        CHECK(std::abs(static_cast<double>(set.floats(a.data(), b.data(), size)) -
                       sum) <= magnitude * 1e-6);
      }
  }

  TEST_CASE("all kernels for integers are exact, at the ends of their range, too") {
    auto random = std::mt19937{2};
    for (const auto& set : kernels_here())
      for (const auto size : sizes) {
        CAPTURE(set.name);
        CAPTURE(size);
        const auto limit = static_cast<int>(2'147'483'647UL / (127 * size));
        const auto a = numbers<std::int16_t>(size, std::min(limit, 32'767), random);
        const auto b = numbers<std::int8_t>(size, 127, random);
        const auto c = numbers<std::int8_t>(size, 127, random);
        CHECK(set.shorts(a.data(), b.data(), size) == plain(a, b));
        CHECK(set.bytes(b.data(), c.data(), size) == plain(b, c));
        const auto most = std::vector<std::int16_t>(
            size, static_cast<std::int16_t>(std::min(limit, 32'767)));
        const auto least = std::vector<std::int8_t>(size, -127);
        CHECK(set.shorts(most.data(), least.data(), size) == plain(most, least));
        CHECK(set.bytes(least.data(), least.data(), size) == plain(least, least));
      }
  }

  TEST_CASE("vectors begin anywhere: no alignment is asked for") {
    auto random = std::mt19937{3};
    const auto shorts = numbers<std::int16_t>(100, 30'000, random);
    const auto bytes = numbers<std::int8_t>(103, 127, random);
    for (const auto& set : kernels_here())
      for (auto from = std::size_t{0}; from < 4; ++from)
        CHECK(set.shorts(shorts.data(), bytes.data() + from, 99) ==
              plain(std::vector<std::int16_t>(shorts.begin(), shorts.begin() + 99),
                    std::vector<std::int8_t>(bytes.begin() + static_cast<long>(from),
                                             bytes.begin() + static_cast<long>(from) +
                                                 99)));
  }
}

TEST_SUITE("index.vector_code") {
  TEST_CASE("float32 keeps a vector as it came") {
    for (const auto size : sizes) {
      auto from = clustered{size, 3, 4};
      const auto code = vector_code{vector_form::float32, size};
      const auto vector = from.next();
      auto row = std::vector<std::byte>(code.row_bytes());
      code.encode(vector, row.data());
      CHECK(code.decode(row.data()) == vector);
      CHECK(code.row_bytes() % vector_code::row_alignment == 0);
    }
  }

  TEST_CASE("int8 keeps length, direction and inner products") {
    for (const auto size : {3UL, 17UL, 384UL, 512UL, 1024UL, 4'096UL}) {
      CAPTURE(size);
      auto from = clustered{size, 3, 5};
      const auto code = vector_code{vector_form::int8, size};
      auto rows = std::vector<std::byte>(2 * code.row_bytes());
      const auto a = from.next();
      const auto b = from.next();
      code.encode(a, rows.data());
      code.encode(b, rows.data() + code.row_bytes());
      auto real = 0.0F;
      auto itself = 0.0F;
      const auto back = code.decode(rows.data());
      for (auto i = std::size_t{0}; i < size; ++i) {
        real += a[i] * b[i];
        itself += back[i] * back[i];
      }
      CHECK(itself == doctest::Approx(1).epsilon(1e-5));
      CHECK(code.query(b)(rows.data()) == doctest::Approx(real).epsilon(0.01).scale(1));
      CHECK(code.query(a)(rows.data()) == doctest::Approx(1).epsilon(0.001));
      CHECK(code.between(rows.data(), rows.data() + code.row_bytes()) ==
            doctest::Approx(real).epsilon(0.02).scale(1));
    }
  }

  TEST_CASE("int8 takes a vector with one number, and one of zeros") {
    const auto code = vector_code{vector_form::int8, 5};
    auto row = std::vector<std::byte>(code.row_bytes(), std::byte{0xFF});
    const auto axis = std::vector{0.0F, 0.0F, -1.0F, 0.0F, 0.0F};
    code.encode(axis, row.data());
    CHECK(code.decode(row.data()) == axis);
    const auto zeros = std::vector<float>(5);
    code.encode(zeros, row.data());
    CHECK(code.decode(row.data()) == zeros);
    CHECK(code.query(axis)(row.data()) == 0);
    CHECK(code.query(zeros)(row.data()) == 0);
  }

  TEST_CASE("the longest vectors do not overflow an integer sum") {
    const auto size = vector_code::most_dimensions;
    const auto code = vector_code{vector_form::int8, size};
    const auto same = unit(std::vector<float>(size, 1));
    auto row = std::vector<std::byte>(code.row_bytes());
    code.encode(same, row.data());
    CHECK(code.query(same)(row.data()) == doctest::Approx(1).epsilon(0.001));
    CHECK(code.between(row.data(), row.data()) == doctest::Approx(1).epsilon(0.001));
  }
}
