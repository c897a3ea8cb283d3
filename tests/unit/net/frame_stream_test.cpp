#include "net/frame_stream.hpp"

#include <boost/asio/connect.hpp>
#include <doctest/doctest.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <chrono>
#include <memory>
#include <string>

namespace jessica::test {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

struct owner final : net::stream_owner {
  std::size_t bytes = 0;
  int closes = 0;
  void frames_left(std::size_t more) noexcept override { bytes += more; }
  void close_begun() noexcept override { ++closes; }
};

/// A stream with little room in its socket, and the client's end of it.
struct world {
  asio::io_context io{1};
  net::ws_traffic traffic;
  owner told;
  net::tcp_socket client{io};
  std::unique_ptr<net::frame_stream> stream;
  std::string received;

  world() {
    auto acceptor =
        tcp::acceptor{io, tcp::endpoint{asio::ip::address_v4::loopback(), 0}};
    client.open(tcp::v4());
    client.set_option(asio::socket_base::receive_buffer_size{4096});
    client.connect(acceptor.local_endpoint());
    auto socket = net::tcp_socket{io};
    acceptor.accept(socket);
    socket.set_option(asio::socket_base::send_buffer_size{4096});
    client.non_blocking(true);
    stream = std::make_unique<net::frame_stream>(std::move(socket), traffic);
    stream->set_owner(&told);
  }

  void push(std::string bytes) {
    stream->push(std::make_shared<const std::string>(std::move(bytes)));
  }
  /// More than both socket buffers hold.
  void fill() {
    push(std::string(4'000'000, 'f'));
    stream->flush();
  }
  /// Reads as a client and runs the reactor until `bytes` came or the stream ended.
  void receive(std::size_t bytes) {
    const auto end = std::chrono::steady_clock::now() + 20s;
    auto chunk = std::string(65'536, '\0');
    for (auto ec = error_code{}; received.size() < bytes;) {
      REQUIRE(std::chrono::steady_clock::now() < end);
      io.restart();
      io.poll();
      const auto got = client.read_some(asio::buffer(chunk), ec);
      received.append(chunk, 0, got);
      if (ec && ec != asio::error::would_block)
        return;
    }
  }
  void settle() {
    io.restart();
    io.poll();
  }
  auto control(std::string bytes, std::vector<error_code>& done) {
    stream->async_write_some(asio::buffer(bytes), [&done](error_code ec, std::size_t) {
      done.push_back(ec);
    });
  }
};

const auto pong = std::string{"\x8a\x00", 2};
const auto close_1000 = std::string{"\x88\x02\x03\xe8", 4};

} // namespace

TEST_SUITE("net.frame_stream") {
  TEST_CASE_FIXTURE(world, "frames of a burst leave in order and are accounted") {
    auto expected = std::string{};
    for (auto i = 0; i < 200; ++i) { // more than one gathered call takes
      push(std::to_string(i) + ";");
      expected += std::to_string(i) + ";";
    }
    stream->flush();
    receive(expected.size());
    CHECK(received == expected);
    CHECK(told.bytes == expected.size());
    CHECK(traffic.frames == 200);
    CHECK(traffic.bytes == expected.size());
  }

  TEST_CASE_FIXTURE(world, "a full socket is waited for and loses nothing") {
    fill();
    push("end");
    stream->flush();
    CHECK(told.bytes == 0);
    receive(4'000'003);
    CHECK(received.size() == 4'000'003);
    CHECK(received.ends_with("fend"));
    CHECK(told.bytes == 4'000'003);
  }

  TEST_CASE_FIXTURE(world, "a control frame waits for whole data frames") {
    auto done = std::vector<error_code>{};
    fill();
    control(pong, done);
    push("after");
    stream->flush();
    settle();
    CHECK(done.empty()); // not yet: the frame before it has not left
    receive(4'000'007);
    settle();
    CHECK(received.substr(3'999'999) == "f" + pong + "after");
    REQUIRE(done.size() == 1);
    CHECK(!done[0]);
    CHECK(told.bytes == 4'000'005); // the pong is nobody's
  }

  TEST_CASE_FIXTURE(world, "a control frame is copied before the call returns") {
    auto done = std::vector<error_code>{};
    control(std::string{"\x8a\x02hi", 4}, done); // its buffer is gone by now
    receive(4);
    CHECK(received == "\x8a\x02hi");
  }

  TEST_CASE_FIXTURE(world, "nothing leaves after a close frame of ours") {
    auto done = std::vector<error_code>{};
    push("last");
    stream->push_close(1001);
    stream->push_close(1011);
    push("never");
    stream->flush();
    control(pong, done);
    control(close_1000, done);
    receive(8);
    settle();
    stream->close();
    receive(9);
    CHECK(received == std::string{"last\x88\x02\x03\xe9", 8});
    REQUIRE(done.size() == 2); // told that all went well
    CHECK(!done[0]);
    CHECK(!done[1]);
    CHECK(told.closes == 1);
  }

  TEST_CASE_FIXTURE(world, "a close frame that comes from above ends the stream, too") {
    auto done = std::vector<error_code>{};
    control(close_1000, done);
    push("never");
    stream->flush();
    receive(4);
    stream->close();
    receive(5);
    CHECK(received == close_1000);
    CHECK(told.closes == 1);
  }

  TEST_CASE_FIXTURE(world, "dropping keeps the rest of a frame that has begun") {
    auto done = std::vector<error_code>{};
    fill();
    push("dropped");
    control(pong, done);
    stream->drop_waiting();
    stream->push_close(1013);
    receive(4'000'004);
    settle();
    CHECK(received.substr(3'999'999) == std::string{"f\x88\x02\x03\xf5", 5});
    REQUIRE(done.size() == 1);
    CHECK(!done[0]);
  }

  TEST_CASE_FIXTURE(world, "dropping forgets a frame that has not begun") {
    push("dropped");
    stream->drop_waiting();
    push("kept");
    stream->flush();
    receive(4);
    CHECK(received == "kept");
  }

  TEST_CASE_FIXTURE(world, "closing ends a write that is under way") {
    auto done = std::vector<error_code>{};
    fill();
    control(pong, done);
    stream->close();
    stream->close();
    settle();
    REQUIRE(done.size() == 1);
    CHECK(done[0] == asio::error::operation_aborted);
    control(pong, done);
    settle();
    REQUIRE(done.size() == 2);
    CHECK(done[1] == asio::error::operation_aborted);
  }

  TEST_CASE_FIXTURE(world, "it may be destroyed while the socket is full") {
    fill();
    stream.reset();
    settle();
    CHECK(io.stopped()); // nothing is left to wait for
  }

  TEST_CASE_FIXTURE(world, "a client that is gone fails the write") {
    auto done = std::vector<error_code>{};
    fill();
    control(pong, done);
    client.set_option(asio::socket_base::linger{true, 0}); // a reset
    client.close();
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (done.empty() && std::chrono::steady_clock::now() < end) {
      io.restart();
      io.run_one_for(1s);
    }
    REQUIRE(done.size() == 1);
    CHECK(done[0]);
  }

  TEST_CASE_FIXTURE(world, "a long queue that never gets empty keeps its order") {
    auto expected = std::string{};
    fill();
    expected.assign(4'000'000, 'f');
    for (auto i = 0; i < 50; ++i) {
      for (auto k = 0; k < 40; ++k) {
        auto frame = std::to_string(i * 40 + k) + std::string(500, '-');
        expected += frame;
        push(std::move(frame));
      }
      stream->flush();
      receive(received.size() + 10'000);
    }
    receive(expected.size());
    CHECK(received == expected);
    CHECK(told.bytes == expected.size());
  }

  TEST_CASE_FIXTURE(world, "a tear-down ends when the client has ended") {
    auto ended = std::vector<error_code>{};
    client.write_some(asio::buffer("unread bytes", 12));
    stream->tear_down([&](error_code ec) { ended.push_back(ec); });
    settle();
    CHECK(ended.empty());
    client.shutdown(tcp::socket::shutdown_send);
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (ended.empty() && std::chrono::steady_clock::now() < end) {
      io.restart();
      io.run_one_for(1s);
    }
    REQUIRE(ended.size() == 1);
    CHECK(!ended[0]);
  }
}

} // namespace jessica::test
