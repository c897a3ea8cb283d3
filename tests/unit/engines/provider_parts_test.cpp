// The small pure parts of the client: addresses, Retry-After, the circuit breaker,
// faults, HTTP answers.
#include "engines/breaker.hpp"
#include "engines/fault.hpp"
#include "engines/http_answer.hpp"
#include "engines/provider_url.hpp"
#include "engines/retry_after.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

TEST_SUITE_BEGIN("engines.provider_parts");

using namespace jessica;
using namespace jessica::engines;
using namespace std::chrono_literals;

TEST_CASE("an address is taken apart") {
  const auto plain = parse_provider_url("http://127.0.0.1:11434/v1/");
  REQUIRE(plain);
  CHECK_FALSE(plain->tls);
  CHECK(plain->host == "127.0.0.1");
  CHECK(plain->port == "11434");
  CHECK(plain->path == "/v1");
  CHECK(plain->authority() == "127.0.0.1:11434");
  const auto secure = parse_provider_url("https://api.example");
  REQUIRE(secure);
  CHECK(secure->tls);
  CHECK(secure->port == "443");
  CHECK(secure->authority() == "api.example");
  CHECK(secure->host_and_port() == "api.example:443");
  CHECK(parse_provider_url("http://[::1]:8/v1")->host == "::1");
  CHECK(parse_provider_url("http://[::1]:8/v1")->authority() == "[::1]:8");
}

TEST_CASE("what is no address is refused") {
  for (const auto* const text :
       {"", "x", "ftp://x", "http://", "http:///v1", "http://x:", "http://x:0",
        "http://x:99999", "http://u:p@x", "http://[::1", "http://x:8a"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_provider_url(text).has_value());
  }
}

TEST_CASE("Retry-After is seconds or a date") {
  const auto now = std::chrono::sys_days{std::chrono::year{1994} / 11 / 6} + 8h + 49min;
  CHECK(read_retry_after("5", now) == 5s);
  CHECK(read_retry_after(" 0.5 ", now) == 500ms);
  CHECK(read_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now) == 37s);
  CHECK(read_retry_after("Sun, 06 Nov 1994 08:00:00 GMT", now) == 0s);
  CHECK(read_retry_after("999999999", now) == 24h);
  CHECK(read_retry_after("Fri, 31 Dec 9999 23:59:59 GMT", now) == 24h);
  CHECK(read_retry_after("Mon, 01 Jan 0001 00:00:00 GMT", now) == 0s);
  for (const auto* const text :
       {"", "soon", "-1", "nan", "5 s", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 25:49:37 GMT"}) {
    CAPTURE(text);
    CHECK_FALSE(read_retry_after(text, now).has_value());
  }
}

TEST_CASE("a breaker opens after failures in a row, and lets one probe through") {
  const auto start = breaker::clock::time_point{};
  auto guard = breaker{2, 10s};
  CHECK_FALSE(guard.failed(start));
  guard.succeeded();
  CHECK_FALSE(guard.failed(start));
  CHECK(guard.allow(start));
  CHECK(guard.failed(start));
  CHECK_FALSE(guard.allow(start + 9s));
  CHECK(guard.allow(start + 10s));
  CHECK_FALSE(guard.allow(start + 10s));
  CHECK(guard.failed(start + 11s));
  CHECK_FALSE(guard.allow(start + 20s));
  CHECK(guard.allow(start + 21s));
  guard.unused();
  CHECK(guard.allow(start + 21s));
  guard.succeeded();
  CHECK(guard.now_is() == breaker::state::closed);
}

TEST_CASE("every fault has a name of its own and words for the user") {
  auto names = std::set<std::string_view>{};
  for (auto i = std::size_t{0}; i < fault_kinds; ++i) {
    const auto& rule = rule_of(static_cast<fault_kind>(i));
    names.insert(rule.name);
    CHECK(rule.shown.ends_with('.'));
  }
  CHECK(names.size() == fault_kinds);
}

TEST_CASE("a provider's words are one short line without the key") {
  CHECK(quoted_words("a\nkey b key", "key") == "a *** b ***");
  CHECK(quoted_words(std::string(1000, 'x'), "").size() == 300);
  CHECK(quoted_words("\xff", "") == "\xef\xbf\xbd");
}

TEST_CASE("an HTTP answer may be cut anywhere, after others that are only on the way") {
  const auto all = std::string{"HTTP/1.1 100 Continue\r\n\r\n"
                               "HTTP/1.1 200 OK\r\nX-A: b\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n"
                               "1\r\na\r\n2;x=y\r\nbc\r\n0\r\n\r\n"};
  for (const auto size : {1U, 2U, 3U, 7U, 1000U}) {
    auto body = std::string{};
    auto read = http_answer{[&](std::string_view piece) { body += piece; }};
    for (auto at = std::size_t{0}; at < all.size(); at += size)
      REQUIRE(read.feed(std::string_view{all}.substr(at, size)));
    CHECK(read.status() == 200);
    CHECK(read.field("x-a") == "b");
    CHECK(body == "abc");
    CHECK(read.whole());
    CHECK(read.keep_alive());
  }
}

TEST_CASE("bytes behind the answer, or a wish to close, end the connection") {
  const auto answer = std::string{"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"};
  auto more = http_answer{[](std::string_view) {}};
  REQUIRE(more.feed(answer + "\r\naX"));
  CHECK(more.whole());
  CHECK_FALSE(more.keep_alive());
  auto close = http_answer{[](std::string_view) {}};
  REQUIRE(close.feed(answer + "Connection: close\r\n\r\na"));
  CHECK(close.whole());
  CHECK_FALSE(close.keep_alive());
}

TEST_CASE("only a body without any length may end with the connection") {
  auto open = http_answer{[](std::string_view) {}};
  REQUIRE(open.feed("HTTP/1.1 200 OK\r\n\r\nabc"));
  CHECK_FALSE(open.whole());
  CHECK(open.end());
  CHECK(open.whole());
  auto cut = http_answer{[](std::string_view) {}};
  REQUIRE(cut.feed("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc"));
  CHECK_FALSE(cut.end());
  auto nothing = http_answer{[](std::string_view) {}};
  CHECK_FALSE(nothing.end());
}

TEST_CASE("an endless header is refused") {
  auto read = http_answer{[](std::string_view) {}};
  auto fed = read.feed("HTTP/1.1 200 OK\r\nX: ");
  for (auto i = 0; i < 100 && fed; ++i)
    fed = read.feed(std::string(1000, 'x'));
  CHECK_FALSE(fed.has_value());
}
