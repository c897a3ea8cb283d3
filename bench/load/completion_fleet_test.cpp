#include "bench/load/completion_fleet.hpp"

#include <doctest/doctest.h>

TEST_SUITE("bench.completion_fleet") {
  using namespace jessica::bench;

  TEST_CASE("the provider's times are found in a chunk and in a whole answer") {
    const auto times = find_times(
        R"(data: {"delta":{"role":"assistant","content":""}} {"content":"17 42 "})");
    CHECK(times.asked == 17);
    CHECK(times.said == 42);
    CHECK(find_times(R"({"content":"17 42 word word "})").said == 42);
  }

  TEST_CASE("half a number is none") {
    CHECK(find_times(R"({"content":"17 4)").asked == 0);
    CHECK(find_times(R"({"content":"17)").asked == 0);
    CHECK(find_times(R"({"content":"word "})").asked == 0);
    CHECK(find_times("").asked == 0);
  }

  TEST_CASE("a response is whole with its last byte") {
    const auto sized =
        std::string_view{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab"};
    CHECK(is_whole_response(sized));
    CHECK(!is_whole_response(sized.substr(0, sized.size() - 1)));
    const auto chunked = std::string_view{
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"};
    CHECK(is_whole_response(chunked));
    CHECK(!is_whole_response(chunked.substr(0, chunked.size() - 2)));
    CHECK(!is_whole_response("HTTP/1.1 200 OK\r\n"));
  }
}
