// A connection whose responses are made while they are sent.
#include "net/streamed_body.hpp"
#include "socket_world.hpp"

#include <boost/asio/this_coro.hpp>

#include <memory>
#include <thread>

namespace jessica::test {
namespace {

/// Says when it ends.
struct noted_source {
  events* log;
  explicit noted_source(events* to) : log(to) {}
  ~noted_source() { log->note("source ended"); }
};

struct world : socket_world {
  std::mutex stage;
  std::shared_ptr<net::body_writer> writer; ///< of the last streamed response
  std::size_t most_waiting = 1'000'000;
  bool with_last_word = false;

  world() {
    settings.net.threads = 1;
    routes = [this](net::http_request what,
                    net::call) -> boost::asio::awaitable<net::http_response> {
      if (what.path != "/stream")
        co_return net::http_response{200, {}, what.path, nullptr};
      auto answer = net::http_response{};
      answer.stream = std::make_shared<net::streamed_body>(
          co_await boost::asio::this_coro::executor, most_waiting);
      answer.stream->source = std::make_shared<noted_source>(&log);
      if (with_last_word)
        answer.stream->stop = [to = answer.stream->writer()] {
          to->write("goodbye");
          to->end();
        };
      {
        const auto hold = std::lock_guard{stage};
        writer = answer.stream->writer();
      }
      log.note("streaming");
      co_return answer;
    };
  }

  std::shared_ptr<net::body_writer> writing(int which = 1) {
    REQUIRE(log.wait("streaming", which));
    const auto hold = std::lock_guard{stage};
    return writer;
  }

  static constexpr auto ask = "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n";
};

/// One chunk; empty at the end.
std::string chunk(raw_client& from) {
  const auto size = std::stoul(from.until("\r\n"), nullptr, 16);
  auto bytes = from.exactly(size);
  CHECK(from.exactly(2) == "\r\n");
  return bytes;
}

/// So many bytes, in however many chunks.
std::string chunks(raw_client& from, std::size_t bytes) {
  auto all = std::string{};
  while (all.size() < bytes)
    all += chunk(from);
  return all;
}

} // namespace

TEST_SUITE("net.streamed_body") {
  TEST_CASE_FIXTURE(world, "what is written arrives before the body is whole") {
    const auto at = serve();
    auto client = raw_client{at.port()};
    client.send(ask);
    const auto to = writing();
    CHECK(to->write("first"));
    const auto head = client.until("\r\n\r\n");
    CHECK(head.contains("Transfer-Encoding: chunked\r\n"));
    CHECK(head.contains("Connection: keep-alive\r\n"));
    CHECK(!head.contains("Content-Length"));
    CHECK(chunk(client) == "first");
    CHECK(to->write("second"));
    CHECK(chunk(client) == "second");
    CHECK(log.count("source ended") == 0);
    to->end();
    CHECK(chunk(client).empty());
    CHECK(log.wait("source ended"));
    CHECK(!to->write("too late"));
  }

  TEST_CASE_FIXTURE(world, "many writes of one moment are few chunks") {
    const auto at = serve();
    auto client = raw_client{at.port()};
    client.send(ask);
    const auto to = writing();
    auto wanted = std::string{};
    for (auto i = 0; i < 10'000; ++i) {
      wanted += std::to_string(i);
      REQUIRE(to->write(std::to_string(i)));
    }
    to->end();
    client.until("\r\n\r\n");
    auto count = 0;
    auto all = std::string{};
    for (auto one = chunk(client); !one.empty(); one = chunk(client), ++count)
      all += one;
    CHECK(all == wanted);
    CHECK(count < 10'000);
  }

  TEST_CASE_FIXTURE(world, "a body without a byte is whole, too") {
    const auto at = serve();
    auto client = raw_client{at.port()};
    client.send(ask);
    writing()->end();
    CHECK(client.until("\r\n\r\n").contains("200 OK"));
    CHECK(chunk(client).empty());
  }

  TEST_CASE_FIXTURE(world, "the connection serves the next request afterwards") {
    const auto at = serve();
    auto client = raw_client{at.port()};
    for (auto i = 1; i <= 3; ++i) {
      client.send(ask);
      const auto to = writing(i);
      to->write("x");
      to->end();
      client.until("\r\n\r\n");
      CHECK(chunks(client, 1) == "x");
      CHECK(chunk(client).empty());
      client.send("GET /next HTTP/1.1\r\nHost: x\r\n\r\n");
      CHECK(client.answer().body == "/next");
    }
  }

  TEST_CASE_FIXTURE(world, "a request that was sent during a stream waits its turn") {
    const auto at = serve();
    auto client = raw_client{at.port()};
    client.send(ask);
    const auto to = writing();
    to->write("a");
    client.until("\r\n\r\n");
    CHECK(chunk(client) == "a");
    client.send("GET /one HTTP/1.1\r\nHost: x\r\n\r\nGET /two HTTP/1.1\r\nHost: "
                "x\r\n\r\n");
    to->write("b");
    CHECK(chunk(client) == "b");
    to->end();
    CHECK(chunk(client).empty());
    CHECK(client.answer().body == "/one");
    CHECK(client.answer().body == "/two");
  }

  TEST_CASE_FIXTURE(world, "for HTTP/1.0 the connection's end is the body's") {
    const auto at = serve();
    auto client = raw_client{at.port()};
    client.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const auto to = writing();
    to->write("bare ");
    to->write("bytes");
    to->end();
    const auto head = client.until("\r\n\r\n");
    CHECK(head.contains("Connection: close\r\n"));
    CHECK(!head.contains("chunked"));
    CHECK(client.rest() == "bare bytes");
  }

  TEST_CASE_FIXTURE(world, "HEAD is answered without the body") {
    const auto at = serve();
    auto client = raw_client{at.port()};
    client.send("HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    client.send("GET /next HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(client.answer(false).status == 200);
    CHECK(log.wait("source ended"));
    CHECK(client.answer().body == "/next");
  }

  TEST_CASE_FIXTURE(world, "a client that goes ends the source at once, unasked") {
    const auto at = serve();
    auto client = raw_client{at.port()};
    client.send(ask);
    const auto to = writing();
    to->write("x");
    client.until("\r\n\r\n");
    client.hang_up();
    CHECK(log.wait("source ended")); // nothing more was written
    CHECK(!to->write("y"));
  }

  TEST_CASE_FIXTURE(world, "a client that goes before the first byte is noticed") {
    const auto at = serve();
    auto client = raw_client{at.port()};
    client.send(ask);
    const auto to = writing();
    client.hang_up();
    CHECK(log.wait("source ended"));
    CHECK(!to->write("x"));
  }

  TEST_CASE_FIXTURE(world, "a client that does not read loses the stream at a limit") {
    most_waiting = 100'000;
    const auto at = serve();
    auto client = raw_client{at.port(), 4096};
    client.send(ask);
    const auto to = writing();
    const auto piece = std::string(10'000, 'x');
    auto written = std::size_t{0};
    while (to->write(piece)) {
      written += piece.size();
      REQUIRE(written < 100'000'000); // the kernel's buffers are finite
    }
    CHECK(log.wait("source ended"));
    const auto got = client.rest();
    CHECK(got.size() < written + 100'000);
    CHECK(!got.ends_with("0\r\n\r\n"));
  }

  TEST_CASE_FIXTURE(world, "a body that breaks off has no last chunk") {
    const auto at = serve();
    auto client = raw_client{at.port()};
    client.send(ask);
    const auto to = writing();
    to->write("half");
    client.until("\r\n\r\n");
    CHECK(chunk(client) == "half");
    to->abort();
    CHECK(client.rest().empty());
    CHECK(log.wait("source ended"));
  }

  TEST_CASE_FIXTURE(world, "a stop waits for a stream that ends in time") {
    auto at = serve();
    auto client = raw_client{at.port()};
    client.send(ask);
    const auto to = writing();
    to->write("x");
    client.until("\r\n\r\n");
    auto stopping = std::jthread{[&] { at.stop(patience); }};
    CHECK(chunk(client) == "x");
    to->write("y");
    CHECK(chunk(client) == "y");
    to->end();
    CHECK(chunk(client).empty());
    CHECK(client.rest().empty());
  }

  TEST_CASE_FIXTURE(world, "a stream that does not end may say a last word at a stop") {
    with_last_word = true;
    settings.net.drain_timeout = std::chrono::seconds{1};
    auto at = serve();
    auto client = raw_client{at.port()};
    client.send(ask);
    writing()->write("x");
    client.until("\r\n\r\n");
    CHECK(chunk(client) == "x");
    at.stop(patience);
    CHECK(chunk(client) == "goodbye");
    CHECK(chunk(client).empty());
    CHECK(client.rest().empty());
    CHECK(log.count("source ended") == 1);
  }

  TEST_CASE_FIXTURE(world, "a stop without time cuts streams; writers outlive them") {
    auto to = std::shared_ptr<net::body_writer>{};
    {
      auto at = serve();
      auto client = raw_client{at.port()};
      client.send(ask);
      to = writing();
      to->write("x");
      client.until("\r\n\r\n");
      at.stop({});
      CHECK(log.wait("source ended"));
    }
    CHECK(!to->write("y"));
    to->end();
  }
}

} // namespace jessica::test
