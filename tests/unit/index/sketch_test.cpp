#include "index/piece_search.hpp"
#include "index/sketch.hpp"
#include "tests/unit/index/searches.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <utility>
#include <vector>

using namespace jessica;
using namespace jessica::index;

namespace {

const auto ann = numbered<user_id>(1);

/// Bit by bit.
std::int32_t plain_sum(const std::vector<std::uint64_t>& planes, std::size_t words,
                       const std::byte* row) {
  constexpr auto weights = std::array{1, 2, 4, -8};
  auto sum = std::int32_t{0};
  for (auto bit = std::size_t{0}; bit < words * 64; ++bit) {
    const auto set = std::to_integer<unsigned>(row[bit / 8]) >> bit % 8 & 1U;
    for (auto plane = std::size_t{0}; plane < weights.size() && set != 0; ++plane)
      if ((planes[plane * words + bit / 64] >> bit % 64 & 1U) != 0)
        sum += weights[plane];
  }
  return sum;
}

float product(const std::vector<float>& a, const std::vector<float>& b) {
  auto sum = 0.0;
  for (auto i = std::size_t{0}; i < a.size(); ++i)
    sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return static_cast<float>(sum);
}

struct estimated {
  float value;
  float error;
};

estimated estimate(const sketch_code& code, const std::vector<float>& query,
                   const std::vector<float>& vector) {
  auto row = std::vector<std::byte>(code.row_bytes());
  code.encode(vector, row.data());
  const auto asked = code.query(query);
  auto value = 0.0F;
  asked.estimate(row.data(), {&value, 1});
  return {value, asked.error_of(row.data())};
}

vector_index filled(vector_form form, const std::vector<embedded_piece>& pieces) {
  auto made = vector_index::make(
      {.model = "model", .dimensions = pieces.front().vector.size(), .form = form});
  REQUIRE(made.has_value());
  for (const auto& piece : pieces)
    REQUIRE(made->add(piece).has_value());
  return std::move(*made);
}

} // namespace

TEST_SUITE("index.sketch") {
  TEST_CASE("all kernels add up the integers whose bits are set") {
    auto random = std::mt19937_64{1};
    for (const auto& set : kernels_here())
      for (const auto words : {8UL, 16UL, 24UL, 256UL})
        for (const auto count : {1UL, 7UL, 8UL, 9UL, 33UL}) {
          CAPTURE(set.name);
          CAPTURE(words);
          const auto stride = words * 8 + 8;
          auto planes = std::vector<std::uint64_t>(4 * words);
          for (auto& plane : planes)
            plane = random();
          auto rows = std::vector<std::byte>(count * stride);
          for (auto& one : rows)
            one = static_cast<std::byte>(random());
          auto sums = std::vector<std::int32_t>(count + 1, 7);
          set.sketches({planes.data(), words}, rows.data(), stride, count, sums.data());
          for (auto row = std::size_t{0}; row < count; ++row)
            CHECK(sums[row] == plain_sum(planes, words, rows.data() + row * stride));
          CHECK(sums.back() == 7);
        }
  }

  TEST_CASE("all kernels find what is not below, and what is no number") {
    constexpr auto none = std::numeric_limits<float>::quiet_NaN();
    auto random = std::mt19937{2};
    auto one = std::uniform_int_distribution{0, 9};
    for (const auto& set : kernels_here())
      for (const auto size : {0UL, 1UL, 7UL, 8UL, 15UL, 16UL, 17UL, 100UL, 256UL}) {
        CAPTURE(set.name);
        auto numbers = std::vector<float>(size);
        auto wanted = std::vector<std::uint32_t>{};
        for (auto i = std::size_t{0}; i < size; ++i) {
          numbers[i] = static_cast<float>(one(random));
          if (numbers[i] == 0)
            numbers[i] = none;
          if (!(numbers[i] < 6))
            wanted.push_back(static_cast<std::uint32_t>(i));
        }
        auto places = std::vector<std::uint32_t>(size);
        places.resize(set.not_below(numbers.data(), size, 6, places.data()));
        CHECK(places == wanted);
      }
  }

  TEST_CASE("estimates are right in the mean, and err as they say they do") {
    for (const auto dimensions : {64UL, 384UL, 512UL, 768UL}) {
      CAPTURE(dimensions);
      auto from = clustered{dimensions, 5, 3};
      const auto code = sketch_code{dimensions, kernels_here().front()};
      auto sum = 0.0;
      auto squares = 0.0;
      constexpr auto pairs = 400;
      for (auto i = 0; i < pairs; ++i) {
        const auto query = from.next();
        const auto vector = from.next();
        const auto real = product(query, vector);
        const auto [value, error] = estimate(code, query, vector);
        const auto off = static_cast<double>((value - real) / error) /
                         std::sqrt(1 - static_cast<double>(real * real));
        sum += off;
        squares += off * off;
      }
      CHECK(std::abs(sum / pairs) < 0.25);
      CHECK(squares / pairs < 1.3);
      CHECK(squares / pairs > 0.7);
    }
  }

  TEST_CASE("what has not length 1 has no estimate") {
    const auto code = sketch_code{512, kernels_here().front()};
    auto from = clustered{512, 5, 4};
    const auto query = from.next();
    auto longer = from.next();
    for (auto& x : longer)
      x *= 1.1F;
    CHECK(std::isnan(estimate(code, query, longer).value));
    CHECK(std::isnan(estimate(code, query, std::vector<float>(512)).value));
    CHECK(estimate(code, std::vector<float>(512), from.next()).value == 0);
  }
}

TEST_SUITE("index.sketch_search") {
  TEST_CASE("recall is 0.99, alone and under every filter") {
    constexpr auto count = std::uint32_t{3'000};
    auto from = clustered{384, 20, 71};
    const auto pieces = pieces_of(ann, count, from);
    const auto conversation = numbered<conversation_id>(3);
    for (const auto form : {vector_form::float32, vector_form::int8}) {
      auto index = filled(form, pieces);
      for (const auto& filter : std::vector<memory_filter>{
               {},
               {.conversation = conversation},
               {.not_conversation = conversation},
               {.role = message_role::assistant},
               {.since = at_second(count / 2)},
               {.since = at_second(count / 2), .before = at_second(count / 2 + 40)},
               {.conversation = numbered<conversation_id>(99)}}) {
        CHECK(mean_recall(index, pieces, from, filter, 30) >= 0.99);
      }
    }
  }

  TEST_CASE("scores are those of the vectors, and the least score holds") {
    auto from = clustered{512, 10, 72};
    const auto pieces = pieces_of(ann, 1'000, from);
    auto index = filled(vector_form::float32, pieces);
    const auto query = from.next();
    const auto hits = found(index, ann, query, {}, 50, 0.6F);
    const auto wanted = reference(pieces, query, {}, 50, 0.6F);
    CHECK(recall(hits, wanted) >= 0.98);
    for (const auto& hit : hits) {
      CHECK(hit.score >= 0.6F);
      const auto& piece = pieces[static_cast<std::size_t>(hit.id.value - 1)];
      CHECK(hit.score == doctest::Approx(product(query, piece.vector)).epsilon(1e-5));
    }
  }

  TEST_CASE("k may be more than there is") {
    auto from = clustered{512, 10, 73};
    const auto pieces = pieces_of(ann, 600, from);
    auto index = filled(vector_form::float32, pieces);
    CHECK(found(index, ann, from.next(), {}, 1'000).size() ==
          301); // two of most messages
  }

  TEST_CASE("among many pieces of one message, and many that are equal, k are found") {
    auto from = clustered{512, 10, 74};
    const auto often = from.next();
    auto pieces = pieces_of(ann, 2'000, from);
    for (auto i = std::size_t{0}; i < pieces.size(); i += 2) {
      pieces[i].vector = often;
      if (i % 4 == 0)
        pieces[i].message = numbered<message_id>(1'000'000);
    }
    auto index = filled(vector_form::float32, pieces);
    const auto hits = found(index, ann, often);
    const auto wanted = reference(pieces, often, {}, 10);
    REQUIRE(hits.size() == 10);
    for (auto i = std::size_t{0}; i < hits.size(); ++i)
      CHECK(hits[i].id == wanted[i].id); // of equal ones the newest
  }

  TEST_CASE("what has not length 1 is found as exactly as ever") {
    auto from = clustered{512, 10, 75};
    auto pieces = pieces_of(ann, 1'000, from);
    for (auto i = std::size_t{0}; i < pieces.size(); i += 3)
      for (auto& x : pieces[i].vector)
        x *= 1.5F;
    auto index = filled(vector_form::float32, pieces);
    for (auto i = 0; i < 20; ++i) {
      const auto query = from.next();
      CHECK(recall(found(index, ann, query), reference(pieces, query, {}, 10)) >= 0.9);
    }
  }

  TEST_CASE("what is removed is not found, before and after the rest moved") {
    auto from = clustered{512, 5, 76};
    const auto pieces = pieces_of(ann, 1'200, from);
    auto index = filled(vector_form::int8, pieces);
    for (auto i = std::size_t{0}; i < pieces.size(); ++i) {
      if (i % 3 != 0)
        REQUIRE(index.remove(ann, pieces[i].id));
      if (i % 100 == 0)
        for (const auto& hit : found(index, ann, from.next()))
          CHECK((hit.id.value > static_cast<std::int64_t>(i) + 1 ||
                 (hit.id.value - 1) % 3 == 0));
    }
    while (index.work()) {
    }
    CHECK(found(index, ann, pieces[300].vector, {}, 1).front().id == pieces[300].id);
  }
}
