#include "index/best_pieces.hpp"
#include "index/checksum.hpp"
#include "index/chunked_rows.hpp"
#include "index/dropped_pieces.hpp"
#include "index/piece_facts.hpp"
#include "tests/unit/index/clustered.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <memory>
#include <vector>

using namespace jessica;
using namespace jessica::index;

TEST_SUITE("index.checksum") {
  TEST_CASE("the sum does not depend on how the bytes were cut") {
    auto bytes = std::vector<std::byte>(1'000);
    for (auto i = std::size_t{0}; i < bytes.size(); ++i)
      bytes[i] = static_cast<std::byte>(i * 7 % 251);
    const auto whole = checksum_of(bytes);
    for (const auto step : {1UL, 3UL, 63UL, 64UL, 65UL, 200UL, 999UL}) {
      auto sum = checksum{};
      for (auto at = std::size_t{0}; at < bytes.size(); at += step)
        sum.add(std::span{bytes}.subspan(at, std::min(step, bytes.size() - at)));
      CHECK(sum.value() == whole);
    }
  }

  TEST_CASE("every single bit that flips is found, and so are two of a lane") {
    for (const auto size : {1UL, 8UL, 64UL, 100UL, 1'024UL}) {
      auto bytes = std::vector<std::byte>(size);
      const auto good = checksum_of(bytes);
      for (auto bit = std::size_t{0}; bit < size * 8; ++bit) {
        const auto flip = static_cast<std::byte>(1U << (bit % 8));
        bytes[bit / 8] ^= flip;
        CHECK(checksum_of(bytes) != good);
        if (bit / 8 + 64 < size) {
          bytes[bit / 8 + 64] ^= flip;
          CHECK(checksum_of(bytes) != good);
          bytes[bit / 8 + 64] ^= flip;
        }
        bytes[bit / 8] ^= flip;
      }
    }
  }

  TEST_CASE("zeros at the end count") {
    auto bytes = std::vector<std::byte>(63);
    const auto shorter = checksum_of(bytes);
    bytes.emplace_back();
    CHECK(checksum_of(bytes) != shorter);
    CHECK(checksum_of({}) != shorter);
  }
}

TEST_SUITE("index.chunked_rows") {
  std::uint32_t number_in(const chunked_rows& rows, std::size_t row) {
    auto number = std::uint32_t{0};
    std::memcpy(&number, rows[row], sizeof number);
    return number;
  }

  void append_numbers(chunked_rows & rows, std::uint32_t from, std::uint32_t to) {
    for (; from < to; ++from)
      std::memcpy(rows.append(), &from, sizeof from);
  }

  TEST_CASE("rows keep their values over many chunks, and a copy stays as it was") {
    auto rows = chunked_rows{16};
    auto copies = std::vector<chunked_rows>{};
    for (auto n = std::uint32_t{0}; n < 1'500; n += 50) {
      append_numbers(rows, n, n + 50);
      copies.push_back(rows);
    }
    for (const auto& copy : copies)
      for (auto row = std::size_t{0}; row < copy.size(); ++row)
        CHECK(number_in(copy, row) == row);
    CHECK(copies.front().size() == 50);
    CHECK(rows.bytes() >= rows.size() * 16);
  }

  TEST_CASE("runs cover all rows once") {
    auto rows = chunked_rows{16};
    append_numbers(rows, 0, 700);
    auto bytes = std::size_t{0};
    for (auto row = std::size_t{0}; row < rows.size(); row += chunked_rows::chunk_rows)
      bytes += rows.run(row).size();
    CHECK(bytes == 700 * 16);
    CHECK(rows.run(700).empty());
  }

  TEST_CASE("rows in somebody's memory are read there, and grow beside it") {
    const auto memory = std::make_shared<std::vector<std::byte>>(300 * 16);
    auto rows = chunked_rows{16, *memory, memory};
    CHECK(rows.size() == 300);
    CHECK(rows[299] == memory->data() + 299 * 16);
    append_numbers(rows, 300, 600);
    for (auto row = std::uint32_t{300}; row < 600; ++row)
      CHECK(number_in(rows, row) == row);
    CHECK(number_in(rows, 299) == 0);
    CHECK(std::ranges::all_of(*memory, [](std::byte b) { return b == std::byte{0}; }));
  }
}

TEST_SUITE("index.best_pieces") {
  piece_facts fact(std::uint32_t id, std::uint32_t message) {
    auto facts = piece_facts{};
    facts.id = id;
    facts.message = numbered<message_id>(message).value;
    return facts;
  }

  TEST_CASE("the best of each message, best first, at most k") {
    auto best = best_pieces{2, -1};
    best.offer(0.1F, fact(1, 1));
    best.offer(0.2F, fact(2, 2));
    best.offer(0.3F, fact(3, 3));
    best.offer(0.5F, fact(4, 2)); // moves before 3
    best.offer(0.4F, fact(5, 2)); // worse than 4
    const auto hits = std::move(best).take();
    REQUIRE(hits.size() == 2);
    CHECK(hits[0] == memory_hit{{4}, numbered<message_id>(2), 0.5F});
    CHECK(hits[1] == memory_hit{{3}, numbered<message_id>(3), 0.3F});
  }

  TEST_CASE("ties go to the newer id, whatever the order") {
    for (const auto first : {1U, 2U}) {
      auto best = best_pieces{1, -1};
      best.offer(0.5F, fact(first, first));
      best.offer(0.5F, fact(3 - first, 3 - first));
      CHECK(std::move(best).take().front().id.value == 2);
    }
  }

  TEST_CASE("nothing below the bar gets in; the bar itself does") {
    auto best = best_pieces{1, 0.5F};
    best.offer(0.49F, fact(1, 1));
    CHECK(best.size() == 0);
    best.offer(0.5F, fact(2, 2));
    CHECK(best.size() == 1);
    best.offer(0.6F, fact(3, 3));
    CHECK(best.bar() == 0.6F);
    auto none = best_pieces{0, -1};
    none.offer(1, fact(1, 1));
    CHECK(none.size() == 0);
  }
}

TEST_SUITE("index.dropped_pieces") {
  const auto user = numbered<user_id>(1);

  embedded_piece piece(std::uint32_t number) {
    return piece_of(user, number, {1.0F});
  }

  std::vector<std::int64_t> numbers(const std::vector<embedded_piece>& pieces) {
    auto ids = std::vector<std::int64_t>{};
    for (const auto& one : pieces)
      ids.push_back(one.id.value);
    return ids;
  }

  TEST_CASE("ids are known, come and go") {
    auto dropped = dropped_pieces{{{1}, {3}}};
    CHECK_FALSE(dropped.add(piece(3)));
    CHECK(dropped.add(piece(2)));
    CHECK(dropped.remove({1}));
    CHECK_FALSE(dropped.remove({1}));
    CHECK(dropped.ids() == std::vector<embedding_id>{{2}, {3}});
  }

  TEST_CASE("who gave up keeps the ids only") {
    auto dropped = dropped_pieces{{{1}}};
    const auto ids_only = dropped.bytes();
    dropped.want();
    CHECK(dropped.wanted());
    dropped.add(piece(2));
    dropped.remove({1});
    CHECK(dropped.bytes() > ids_only + sizeof(embedded_piece));
    dropped.give_up();
    CHECK_FALSE(dropped.wanted());
    CHECK(dropped.bytes() == ids_only);
    CHECK(dropped.ids() == std::vector<embedding_id>{{2}});
    CHECK(dropped.merged({}).empty());
    dropped.want();
    dropped.add(piece(3));
    dropped.remove({3});
    dropped.give_up();
    CHECK(dropped.bytes() == ids_only);
  }

  TEST_CASE("what is loaded is older or newer than what came meanwhile") {
    auto dropped = dropped_pieces{{{1}, {2}, {3}}};
    dropped.want();
    dropped.add(piece(5));
    dropped.add(piece(4));
    dropped.remove({2});
    dropped.remove({5});
    const auto stale = std::vector{piece(3), piece(2), piece(1), piece(5)};
    CHECK(numbers(dropped.merged(stale)) == std::vector<std::int64_t>{1, 3, 4});
    const auto fresh = std::vector{piece(1), piece(3), piece(4), piece(6)};
    CHECK(numbers(dropped.merged(fresh)) == std::vector<std::int64_t>{1, 3, 4, 6});
  }
}
