#include "storage/wal_pieces.hpp"
#include "tests/fixtures/pgoutput_bytes.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace {

using namespace jessica;
using storage::feed_piece;
using storage::piece_cutter;

constexpr auto plenty = std::size_t{1} << 30;

// A decoder and a cutter in a row, and the pieces that came out.
struct feed {
  piece_cutter cutter;
  storage::pgoutput_decoder decoder;
  std::vector<feed_piece> pieces;

  explicit feed(std::size_t events, std::size_t bytes) : cutter{events, bytes} {
    REQUIRE(take(test::announce_users()));
  }
  bool take(std::string_view bytes, lsn at = lsn{7}) {
    auto message = decoder.decode(bytes);
    REQUIRE(message);
    auto piece = cutter.add(std::move(*message), at, timestamp{});
    if (!piece) {
      CHECK(piece.error().code == errc::internal);
      return false;
    }
    if (*piece) {
      pieces.push_back(std::move(**piece));
    }
    return true;
  }
  void rows(int count, std::string_view id = "t1") {
    for (auto i = 0; i < count; ++i) {
      REQUIRE(take(test::insert_user({id, "n", "n"})));
    }
  }
  std::string sizes() const {
    auto all = std::string{};
    for (const auto& one : pieces) {
      all += std::to_string(one.events.size()) + (one.last ? "! " : " ");
    }
    return all;
  }
};

} // namespace

TEST_SUITE("storage.wal_pieces") {
  TEST_CASE("a small transaction is one piece, given out at its commit") {
    auto one = feed{10, plenty};
    REQUIRE(one.take(test::begin_at(500)));
    CHECK(one.cutter.inside());
    one.rows(3);
    CHECK(one.pieces.empty());
    CHECK(one.cutter.done().none());
    REQUIRE(one.take(test::commit_at(500)));
    CHECK(one.sizes() == "3! ");
    CHECK(one.pieces[0].commit == lsn{500});
    CHECK(one.pieces[0].committed == storage::from_server_time(1'000'000));
    CHECK_FALSE(one.cutter.inside());
    CHECK(one.cutter.done() == lsn{508});
  }

  TEST_CASE(
      "a big one is cut by the number of its events, and its last is never empty") {
    auto one = feed{4, plenty};
    for (const auto rows : {4, 8, 9}) {
      REQUIRE(one.take(test::begin_at(500)));
      one.rows(rows);
      REQUIRE(one.take(test::commit_at(500)));
    }
    CHECK(one.sizes() == "4! 4 4! 4 4 1! ");
  }

  TEST_CASE("a big one is cut by its memory, exceeded by one event at most") {
    auto one = feed{1'000, 2'500};
    REQUIRE(one.take(test::begin_at(500)));
    one.rows(5, "t" + std::string(1'000, 'x'));
    one.rows(1, "t" + std::string(9'000, 'x'));
    one.rows(1);
    REQUIRE(one.take(test::commit_at(500)));
    CHECK(one.sizes() == "3 3 1! ");
  }

  TEST_CASE("a transaction without events gives nothing, and is done") {
    auto one = feed{4, plenty};
    REQUIRE(one.take(test::begin_at(500)));
    REQUIRE(one.take(test::announce_users('f')));
    REQUIRE(one.take("Y"));
    REQUIRE(one.take(test::commit_at(500)));
    CHECK(one.pieces.empty());
    CHECK(one.cutter.done() == lsn{508});
  }

  TEST_CASE("a message outside a transaction is a piece at its own place") {
    auto one = feed{4, plenty};
    REQUIRE(one.take(test::emitted(false, "wake", "x"), lsn{900}));
    CHECK(one.sizes() == "1! ");
    CHECK(one.pieces[0].commit == lsn{900});
    CHECK(one.cutter.done() == lsn{900});
    CHECK(std::get<storage::wal_message>(one.pieces[0].events[0]).prefix == "wake");
  }

  TEST_CASE("rows, messages and truncates of a transaction keep their order") {
    auto one = feed{10, plenty};
    REQUIRE(one.take(test::begin_at(500)));
    one.rows(1);
    REQUIRE(one.take(test::emitted(true, "wake", "x")));
    REQUIRE(one.take(test::message_bytes{'T'}
                         .number(std::int32_t{1})
                         .number(std::uint8_t{0})
                         .number(test::users_oid)
                         .bytes()));
    REQUIRE(one.take(test::commit_at(500)));
    REQUIRE(one.sizes() == "3! ");
    const auto& events = one.pieces[0].events;
    CHECK(std::holds_alternative<storage::row_change>(events[0]));
    CHECK(std::holds_alternative<storage::wal_message>(events[1]));
    CHECK(std::holds_alternative<storage::tables_truncated>(events[2]));
  }

  TEST_CASE("messages in an order that cannot be are refused") {
    const auto fresh = [] { return feed{4, plenty}; };
    CHECK_FALSE(fresh().take(test::insert_user({"t1", "n", "n"})));
    CHECK_FALSE(fresh().take(test::emitted(true, "p", "")));
    CHECK_FALSE(fresh().take(test::commit_at(500)));
    auto one = fresh();
    REQUIRE(one.take(test::begin_at(500)));
    CHECK_FALSE(one.take(test::begin_at(600)));
    CHECK_FALSE(one.take(test::emitted(false, "p", "")));
    CHECK_FALSE(one.take(test::commit_at(600)));
    CHECK(one.take(test::commit_at(500)));
  }
}
