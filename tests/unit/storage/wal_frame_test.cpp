#include "storage/pgoutput.hpp"
#include "storage/wal_frame.hpp"
#include "tests/fixtures/pgoutput_bytes.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <variant>

namespace {

using namespace jessica;

std::string data_frame(std::string_view payload) {
  return test::message_bytes{'w'}
             .number(std::uint64_t{0x1'0000'0002})
             .number(std::uint64_t{3})
             .number(std::int64_t{5})
             .bytes() +
         std::string{payload};
}

std::string alive_frame(std::uint8_t answer_now) {
  return test::message_bytes{'k'}
      .number(std::uint64_t{9})
      .number(std::int64_t{5})
      .number(answer_now)
      .bytes();
}

} // namespace

TEST_SUITE("storage.wal_frame") {
  TEST_CASE("a frame of data tells its place, its time and the message") {
    const auto bytes = data_frame("payload");
    const auto got = storage::read_frame(bytes);
    REQUIRE(got);
    const auto& data = std::get<storage::wal_data>(*got);
    CHECK(data.at.str() == "1/2");
    CHECK(data.sent == storage::from_server_time(5));
    CHECK(data.message == "payload");
  }

  TEST_CASE("a sign of life tells the end, and whether it wants an answer") {
    for (const auto answer : {std::uint8_t{0}, std::uint8_t{1}}) {
      const auto bytes = alive_frame(answer);
      const auto got = storage::read_frame(bytes);
      REQUIRE(got);
      const auto& alive = std::get<storage::wal_alive>(*got);
      CHECK(alive.end == lsn{9});
      CHECK(alive.answer_now == (answer == 1));
    }
  }

  TEST_CASE("anything else is refused") {
    const auto data = data_frame("");
    const auto alive = alive_frame(1);
    for (auto size = std::size_t{0}; size < data.size(); ++size) {
      CHECK_FALSE(storage::read_frame(std::string_view{data}.substr(0, size)));
    }
    for (auto size = std::size_t{0}; size < alive.size(); ++size) {
      CHECK_FALSE(storage::read_frame(std::string_view{alive}.substr(0, size)));
    }
    CHECK_FALSE(storage::read_frame(alive + "x"));
    CHECK_FALSE(storage::read_frame("z"));
    const auto refused = storage::read_frame("");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::internal);
  }

  TEST_CASE("a status says three times how far we are, when, and whether to answer") {
    const auto when = storage::from_server_time(7);
    const auto expected = test::message_bytes{'r'}
                              .number(std::uint64_t{0xABCDEF0123456789})
                              .number(std::uint64_t{0xABCDEF0123456789})
                              .number(std::uint64_t{0xABCDEF0123456789})
                              .number(std::int64_t{7})
                              .number(std::uint8_t{1})
                              .bytes();
    CHECK(storage::status_frame(lsn{0xABCDEF0123456789}, when, true) == expected);
    CHECK(storage::status_frame({}, when, false).back() == '\0');
  }
}
