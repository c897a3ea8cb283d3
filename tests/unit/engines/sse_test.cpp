#include "engines/sse.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

TEST_SUITE_BEGIN("engines.sse");

namespace {

using jessica::engines::sse_splitter;

constexpr auto limit = std::size_t{64};

/// Events of a stream that comes in pieces of `size` bytes.
std::vector<std::string> split(std::string_view all, std::size_t size) {
  auto events = std::vector<std::string>{};
  const auto take = [&](std::string_view data) { events.emplace_back(data); };
  auto splitter = sse_splitter{limit};
  for (auto at = std::size_t{0}; at < all.size(); at += size)
    CHECK(splitter.feed(all.substr(at, size), take));
  splitter.end(take);
  return events;
}

void check(std::string_view all, const std::vector<std::string>& events) {
  for (const auto size : {1U, 2U, 3U, 5U, 1000U})
    CHECK(split(all, size) == events);
}

} // namespace

TEST_CASE("events end with an empty line, whichever way lines end") {
  check("data: a\n\ndata: b\n\n", {"a", "b"});
  check("data: a\r\n\r\ndata: b\r\n\r\n", {"a", "b"});
  check("data: a\r\rdata: b\r\r", {"a", "b"});
  check("data: a\r\n\ndata: b\n\r\n", {"a", "b"});
}

TEST_CASE("one blank after the colon is no part of the data") {
  check("data:a\n\ndata:  b\n\ndata\n\n", {"a", " b", ""});
}

TEST_CASE("data on several lines is one event") {
  check("data: a\ndata:\ndata: b\n\n", {"a\n\nb"});
}

TEST_CASE("comments and other fields are passed over") {
  check(": hello\n\nevent: x\nid: 1\ndata: a\nretry: 3\ndatum: b\n\n:\n\n", {"a"});
}

TEST_CASE("a BOM counts only at the start, and only when it is whole") {
  check("\xef\xbb\xbf"
        "data: a\n\n",
        {"a"});
  check("data: a\n\n\xef\xbb\xbf"
        "data: b\n\n",
        {"a"});
  check("\xef\xbb"
        "data: a\n\ndata: b\n\n",
        {"b"});
}

TEST_CASE(
    "an event whose empty line is missing counts, one whose line is cut does not") {
  check("data: a\n\ndata: b\n", {"a", "b"});
  check("data: a\n\ndata: b", {"a"});
}

TEST_CASE("a line or an event that is too long ends it for good") {
  const auto nobody = [](std::string_view) {};
  auto line = sse_splitter{limit};
  CHECK(line.feed("data: " + std::string(limit - 6, 'x'), nobody));
  CHECK_FALSE(line.feed("x", nobody));
  CHECK_FALSE(line.feed("\n\n", nobody));
  auto event = sse_splitter{limit};
  CHECK(event.feed("data: " + std::string(40, 'x') + "\n", nobody));
  CHECK_FALSE(event.feed("data: " + std::string(40, 'x') + "\n", nobody));
}
