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

/// As a data frame begins; the stream looks at nothing else of it.
std::string frame_of(std::string_view payload) {
  return "\x81" + std::string{payload};
}

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

  void push(std::string_view payload) {
    stream->push(std::make_shared<const std::string>(frame_of(payload)));
  }
  /// More than both socket buffers hold.
  void fill() {
    push(std::string(3'999'999, 'f'));
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
};

constexpr auto filling = std::size_t{4'000'000};

const auto close_1001 = std::string{"\x88\x02\x03\xe9", 4};
const auto close_1013 = std::string{"\x88\x02\x03\xf5", 4};

std::string pong(std::string_view payload) {
  return std::string{'\x8a', static_cast<char>(payload.size())}.append(payload);
}

} // namespace

TEST_SUITE("net.frame_stream") {
  TEST_CASE_FIXTURE(world, "frames of a burst leave in order and are accounted") {
    auto expected = std::string{};
    for (auto i = 0; i < 200; ++i) { // more than one gathered call takes
      push(std::to_string(i) + ";");
      expected += frame_of(std::to_string(i) + ";");
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
    receive(filling + 4);
    CHECK(received.size() == filling + 4);
    CHECK(received.ends_with("f" + frame_of("end")));
    CHECK(told.bytes == filling + 4);
  }

  TEST_CASE_FIXTURE(world, "a pong waits for whole data frames and is nobody's") {
    fill();
    stream->push_pong("p");
    push("after");
    stream->flush();
    receive(filling + 9);
    CHECK(received.substr(filling) == pong("p") + frame_of("after"));
    CHECK(told.bytes == filling + 6);
    CHECK(traffic.frames == 2);
  }

  TEST_CASE_FIXTURE(world, "of pongs that wait only the last one leaves") {
    fill();
    for (auto i = 0; i < 1000; ++i)
      stream->push_pong(std::to_string(i));
    push("after");
    stream->push_pong("last");
    stream->flush();
    receive(filling + 12);
    CHECK(received.substr(filling) == pong("last") + frame_of("after"));
  }

  TEST_CASE_FIXTURE(world, "each pong leaves when the socket takes it") {
    stream->push_pong("1");
    stream->flush();
    stream->push_pong("2");
    stream->flush();
    receive(6);
    CHECK(received == pong("1") + pong("2"));
  }

  TEST_CASE_FIXTURE(world, "nothing leaves after a close frame of ours") {
    push("last");
    stream->push_close(1001);
    stream->push_close(1011);
    push("never");
    stream->push_pong("never");
    stream->flush();
    receive(9);
    settle();
    stream->close();
    receive(10);
    CHECK(received == frame_of("last") + close_1001);
    CHECK(told.closes == 1);
  }

  TEST_CASE_FIXTURE(world, "dropping keeps the rest of a frame that has begun") {
    fill();
    push("dropped");
    stream->push_pong("dropped");
    stream->drop_waiting();
    stream->push_close(1013);
    receive(filling + 4);
    settle();
    CHECK(received.substr(filling) == close_1013);
  }

  TEST_CASE_FIXTURE(world, "a pong after a drop leaves all the same") {
    fill();
    stream->push_pong("dropped");
    stream->drop_waiting();
    push("kept");
    stream->push_pong("p");
    stream->flush();
    receive(filling + 8);
    CHECK(received.substr(filling) == frame_of("kept") + pong("p"));
  }

  TEST_CASE_FIXTURE(world, "dropping forgets a frame that has not begun") {
    push("dropped");
    stream->drop_waiting();
    push("kept");
    stream->flush();
    receive(5);
    CHECK(received == frame_of("kept"));
  }

  TEST_CASE_FIXTURE(world, "it may be closed twice, and refuses from then on") {
    fill();
    stream->close();
    stream->close();
    push("never");
    stream->push_pong("never");
    stream->flush();
    settle();
    CHECK(told.bytes == 0);
    CHECK(io.stopped()); // nothing is left to wait for
  }

  TEST_CASE_FIXTURE(world, "it may be destroyed while the socket is full") {
    fill();
    stream.reset();
    settle();
    CHECK(io.stopped());
  }

  TEST_CASE_FIXTURE(world, "a client that is gone ends the waiting") {
    fill();
    client.set_option(asio::socket_base::linger{true, 0}); // a reset
    client.close();
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (!io.stopped() && std::chrono::steady_clock::now() < end)
      io.run_one_for(1s);
    CHECK(io.stopped());
    CHECK(!stream->socket().is_open());
  }

  TEST_CASE_FIXTURE(world, "a long queue that never gets empty keeps its order") {
    auto expected = frame_of(std::string(filling - 1, 'f'));
    fill();
    for (auto i = 0; i < 50; ++i) {
      for (auto k = 0; k < 40; ++k) {
        const auto frame = std::to_string(i * 40 + k) + std::string(500, '-');
        expected += frame_of(frame);
        push(frame);
      }
      stream->flush();
      receive(received.size() + 10'000);
    }
    receive(expected.size());
    CHECK(received == expected);
    CHECK(told.bytes == expected.size());
  }

  TEST_CASE_FIXTURE(world, "a tear-down ends when the client has ended") {
    auto ended = 0;
    client.write_some(asio::buffer("unread bytes", 12));
    stream->tear_down([&] { ++ended; });
    settle();
    CHECK(ended == 0);
    client.shutdown(tcp::socket::shutdown_send);
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (ended == 0 && std::chrono::steady_clock::now() < end) {
      io.restart();
      io.run_one_for(1s);
    }
    CHECK(ended == 1);
  }

  TEST_CASE_FIXTURE(world, "a tear-down sends what is queued first") {
    fill();
    stream->push_close(1001);
    auto ended = 0;
    stream->tear_down([&] { ++ended; });
    receive(filling + 5); // one more than there is: until the stream ends
    CHECK(received.size() == filling + 4);
    CHECK(received.ends_with(close_1001));
  }
}

} // namespace jessica::test
