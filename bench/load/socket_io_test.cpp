#include "bench/load/socket_io.hpp"

#include <doctest/doctest.h>

#include <initializer_list>

using namespace jessica::bench;
using what = socket_io_packet::what;

TEST_SUITE("bench.socket_io") {
  TEST_CASE("an event is read back as it was written") {
    const auto text = socket_io_event("tick", R"({"a":"]","b":[1]})");
    CHECK(text == R"(42["tick",{"a":"]","b":[1]}])");
    const auto read = read_socket_io(text);
    CHECK(read.kind == what::event);
    CHECK(read.event == "tick");
    CHECK(read.argument == R"({"a":"]","b":[1]})");
  }

  TEST_CASE("what begins a connection and keeps it is told apart") {
    CHECK(read_socket_io(R"(0{"sid":"x","pingInterval":25000})").kind == what::open);
    CHECK(read_socket_io(R"(40{"sid":"y"})").kind == what::connected);
    CHECK(read_socket_io("2").kind == what::ping);
  }

  TEST_CASE("anything else is other") {
    for (const auto* const text : {"", "1", "41", R"(44{"message":"no"})",
                                   R"(42["tick)", R"(42["tick"])", R"(42["tick",{})"})
      CHECK(read_socket_io(text).kind == what::other);
  }
}
