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
};

/// A client that asked for the stream, and what its body is written to.
struct stream {
  explicit stream(world& of, int receive_bytes = 0)
      : at(of.serve()), client(at.port(), receive_bytes) {
    ask(of, 1);
  }

  /// For the stream that is the `which`th of the world.
  void ask(world& of, int which) {
    client.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    to = of.writing(which);
  }

  std::string head() { return client.until("\r\n\r\n"); }
  /// One chunk; empty at the end.
  std::string chunk() {
    const auto size = std::stoul(client.until("\r\n"), nullptr, 16);
    auto bytes = client.exactly(size);
    CHECK(client.exactly(2) == "\r\n");
    return bytes;
  }
  /// So many bytes, in however many chunks.
  std::string chunks(std::size_t bytes) {
    auto all = std::string{};
    while (all.size() < bytes)
      all += chunk();
    return all;
  }

  net::server at;
  raw_client client;
  std::shared_ptr<net::body_writer> to;
};

} // namespace

TEST_SUITE("net.streamed_body") {
  TEST_CASE_FIXTURE(world, "what is written arrives before the body is whole") {
    auto on = stream{*this};
    CHECK(on.to->write("first"));
    const auto head = on.head();
    CHECK(head.contains("Transfer-Encoding: chunked\r\n"));
    CHECK(head.contains("Connection: keep-alive\r\n"));
    CHECK(!head.contains("Content-Length"));
    CHECK(on.chunk() == "first");
    CHECK(on.to->write("second"));
    CHECK(on.chunk() == "second");
    CHECK(log.count("source ended") == 0);
    on.to->end();
    CHECK(on.chunk().empty());
    CHECK(log.wait("source ended"));
    CHECK(!on.to->write("too late"));
  }

  TEST_CASE_FIXTURE(world, "many writes of one moment are few chunks") {
    auto on = stream{*this};
    auto wanted = std::string{};
    for (auto i = 0; i < 10'000; ++i) {
      wanted += std::to_string(i);
      REQUIRE(on.to->write(std::to_string(i)));
    }
    on.to->end();
    on.head();
    auto count = 0;
    auto all = std::string{};
    for (auto one = on.chunk(); !one.empty(); one = on.chunk(), ++count)
      all += one;
    CHECK(all == wanted);
    CHECK(count < 10'000);
  }

  TEST_CASE_FIXTURE(world, "a body without a byte is whole, too") {
    auto on = stream{*this};
    on.to->end();
    CHECK(on.head().contains("200 OK"));
    CHECK(on.chunk().empty());
  }

  TEST_CASE_FIXTURE(world, "the connection serves the next request afterwards") {
    auto on = stream{*this};
    for (auto i = 1; i <= 3; ++i) {
      if (i > 1)
        on.ask(*this, i);
      on.to->write("x");
      on.to->end();
      on.head();
      CHECK(on.chunks(1) == "x");
      CHECK(on.chunk().empty());
      on.client.send("GET /next HTTP/1.1\r\nHost: x\r\n\r\n");
      CHECK(on.client.answer().body == "/next");
    }
  }

  TEST_CASE_FIXTURE(world, "a request that was sent during a stream waits its turn") {
    auto on = stream{*this};
    on.to->write("a");
    on.head();
    CHECK(on.chunk() == "a");
    on.client.send("GET /one HTTP/1.1\r\nHost: x\r\n\r\nGET /two HTTP/1.1\r\nHost: "
                   "x\r\n\r\n");
    on.to->write("b");
    CHECK(on.chunk() == "b");
    on.to->end();
    CHECK(on.chunk().empty());
    CHECK(on.client.answer().body == "/one");
    CHECK(on.client.answer().body == "/two");
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
    auto on = stream{*this};
    on.to->write("x");
    on.head();
    on.client.hang_up();
    CHECK(log.wait("source ended")); // nothing more was written
    CHECK(!on.to->write("y"));
  }

  TEST_CASE_FIXTURE(world, "a client that goes before the first byte is noticed") {
    auto on = stream{*this};
    on.client.hang_up();
    CHECK(log.wait("source ended"));
    CHECK(!on.to->write("x"));
  }

  TEST_CASE_FIXTURE(world, "a client that does not read loses the stream at a limit") {
    most_waiting = 100'000;
    auto on = stream{*this, 4096};
    const auto piece = std::string(10'000, 'x');
    auto written = std::size_t{0};
    while (on.to->write(piece)) {
      written += piece.size();
      REQUIRE(written < 100'000'000); // the kernel's buffers are finite
    }
    CHECK(log.wait("source ended"));
    const auto got = on.client.rest();
    CHECK(got.size() < written + 100'000);
    CHECK(!got.ends_with("0\r\n\r\n"));
  }

  TEST_CASE_FIXTURE(world, "a body that breaks off has no last chunk") {
    auto on = stream{*this};
    on.to->write("half");
    on.head();
    CHECK(on.chunk() == "half");
    on.to->abort();
    CHECK(on.client.rest().empty());
    CHECK(log.wait("source ended"));
  }

  TEST_CASE_FIXTURE(world, "a stop waits for a stream that ends in time") {
    auto on = stream{*this};
    on.to->write("x");
    on.head();
    auto stopping = std::jthread{[&] { on.at.stop(patience); }};
    CHECK(on.chunk() == "x");
    on.to->write("y");
    CHECK(on.chunk() == "y");
    on.to->end();
    CHECK(on.chunk().empty());
    CHECK(on.client.rest().empty());
  }

  TEST_CASE_FIXTURE(world, "a stream that does not end may say a last word at a stop") {
    with_last_word = true;
    settings.net.drain_timeout = std::chrono::seconds{1};
    auto on = stream{*this};
    on.to->write("x");
    on.head();
    CHECK(on.chunk() == "x");
    on.at.stop(patience);
    CHECK(on.chunk() == "goodbye");
    CHECK(on.chunk().empty());
    CHECK(on.client.rest().empty());
    CHECK(log.count("source ended") == 1);
  }

  TEST_CASE_FIXTURE(world, "a stop without time cuts streams; writers outlive them") {
    auto to = std::shared_ptr<net::body_writer>{};
    {
      auto on = stream{*this};
      to = on.to;
      to->write("x");
      on.head();
      on.at.stop({});
      CHECK(log.wait("source ended"));
    }
    CHECK(!to->write("y"));
    to->end();
  }
}

} // namespace jessica::test
