#include "bench/load/stream_book.hpp"

#include <doctest/doctest.h>

#include <format>

using namespace jessica::bench;

namespace {

/// A book of one conversation with one reply, "r".
struct reader {
  stream_tally tally;
  stream_book book{tally};

  void hear(std::string_view event, std::string_view fields) {
    book.take(event, std::format(R"({{"id":"r","attempt":1,{}}})", fields), {});
  }
  void start() { hear("reply.started", R"("model":"m")"); }
  void delta(int first, int last) {
    hear("reply.delta",
         std::format(R"("first_seq":{},"seq":{},"text":"t")", first, last));
  }
  void complete(int seq) {
    hear("reply.completed", std::format(R"("seq":{},"finish_reason":"stop")", seq));
  }
};

} // namespace

TEST_SUITE("bench.stream_book") {
  TEST_CASE("a whole stream has no gap, no duplicate and all tokens") {
    auto is = reader{};
    is.start();
    is.delta(1, 1);
    is.delta(2, 9);
    is.complete(9);
    CHECK(is.tally.tokens == 9);
    CHECK(is.tally.completed == 1);
    CHECK(is.tally.gaps == 0);
    CHECK(is.tally.duplicates == 0);
    REQUIRE(is.book.find("r") != nullptr);
    CHECK(is.book.find("r")->over);
    CHECK(is.book.find("r")->first_token.has_value());
  }

  TEST_CASE("a missing token is a gap") {
    auto is = reader{};
    is.start();
    is.delta(1, 1);
    is.delta(3, 3);
    CHECK(is.tally.gaps == 1);
  }

  TEST_CASE("a missing end of the stream is a gap") {
    auto is = reader{};
    is.start();
    is.delta(1, 4);
    is.complete(5);
    CHECK(is.tally.gaps == 1);
  }

  TEST_CASE("a token that comes twice is a duplicate") {
    auto is = reader{};
    is.start();
    is.delta(1, 3);
    is.delta(3, 4);
    CHECK(is.tally.duplicates == 1);
    CHECK(is.tally.gaps == 0);
  }

  TEST_CASE("a stream that nobody announced is a gap") {
    auto is = reader{};
    is.delta(1, 1);
    CHECK(is.tally.gaps == 1);
  }

  TEST_CASE("a snapshot says where the stream stands") {
    auto is = reader{};
    is.hear("reply.snapshot", R"("seq":7,"text":"so far","status":"streaming")");
    is.delta(8, 9);
    is.complete(9);
    CHECK(is.tally.gaps == 0);
    CHECK(is.tally.tokens == 2);
  }

  TEST_CASE("a new attempt begins again, and only after its reset") {
    auto is = reader{};
    is.start();
    is.delta(1, 5);
    is.book.take("reply.reset", R"({"id":"r","attempt":2,"reason":"retry"})", {});
    is.book.take("reply.delta", R"({"id":"r","attempt":2,"first_seq":1,"seq":2})", {});
    CHECK(is.tally.gaps == 0);
    CHECK(is.tally.duplicates == 0);
    is.book.take("reply.delta", R"({"id":"r","attempt":3,"first_seq":3,"seq":4})", {});
    CHECK(is.tally.gaps == 1);
  }

  TEST_CASE("failed and cancelled replies are counted apart") {
    auto is = reader{};
    is.start();
    is.hear("reply.failed", R"("seq":0,"error":{"code":"engine_failed"})");
    CHECK(is.tally.failed == 1);
    CHECK(is.tally.completed == 0);
    CHECK(is.book.find("r")->over);
  }

  TEST_CASE("other events are none of its business") {
    auto is = reader{};
    is.book.take("typing", "{}", {});
    CHECK(is.tally.gaps == 0);
    CHECK(is.book.find("r") == nullptr);
  }
}
