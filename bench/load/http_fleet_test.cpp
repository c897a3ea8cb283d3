#include "bench/load/http_fleet.hpp"

#include <doctest/doctest.h>

#include <string>

TEST_SUITE("bench.http_fleet") {
  using namespace jessica::bench;

  TEST_CASE("an answer is read when it is all there, and no byte further") {
    const auto first = std::string{"HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 5\r\n"
                                   "Connection: keep-alive\r\n\r\nhello"};
    for (auto cut = std::size_t{0}; cut < first.size(); ++cut)
      CHECK(read_http(std::string_view{first}.substr(0, cut)).size == 0);
    const auto both = first + "HTTP/1.1 404";
    const auto read = read_http(both);
    CHECK(read.size == first.size());
    CHECK(read.status == 200);
    CHECK(read.body == "hello");
  }

  TEST_CASE("an answer may have no body, and what is no HTTP has no status") {
    CHECK(read_http("HTTP/1.1 204 No Content\r\n\r\n").status == 204);
    CHECK(read_http("HTTP/1.1 204 No Content\r\n\r\n").body.empty());
    CHECK(read_http("220 mail\r\n\r\n").status == 0);
  }
}
