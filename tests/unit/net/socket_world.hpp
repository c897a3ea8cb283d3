// A real server on loopback, raw clients that say exactly the bytes a test wants, and a
// SESSION that a test can look into.
#pragma once

#include "net/router.hpp"
#include "net/server.hpp"

#include <arpa/inet.h>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <format>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jessica::test {

using namespace std::chrono_literals;

/// Nothing in these tests takes this long; a wait that does has failed.
constexpr auto patience = std::chrono::seconds{20};

struct two_workers : caf::actor_system_config {
  two_workers() {
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", 2);
  }
};

struct http_answer {
  int status = 0;
  std::string head;
  std::string body;

  [[nodiscard]] bool has(std::string_view line) const {
    return head.find(line) != std::string::npos;
  }
};

struct ws_message {
  int opcode = 0;
  std::string payload;

  /// Of a close frame.
  [[nodiscard]] int code() const {
    REQUIRE(opcode == 8);
    REQUIRE(payload.size() >= 2);
    return (static_cast<unsigned char>(payload[0]) << 8) |
           static_cast<unsigned char>(payload[1]);
  }
};

/// A client that knows bytes and just enough of HTTP and WebSocket.
class raw_client {
public:
  explicit raw_client(std::uint16_t port, int receive_bytes = 0)
      : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const auto limit = timeval{patience.count(), 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (receive_bytes > 0)
      ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    auto where = sockaddr_in{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(fd_, reinterpret_cast<const sockaddr*>(&where), sizeof where) ==
            0);
  }
  raw_client(raw_client&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), read_(std::move(other.read_)) {}
  raw_client& operator=(raw_client&&) = delete;
  ~raw_client() { hang_up(); }

  void hang_up() {
    if (fd_ >= 0)
      ::close(std::exchange(fd_, -1));
  }
  void end_sending() { ::shutdown(fd_, SHUT_WR); }
  [[nodiscard]] int descriptor() const noexcept { return fd_; }

  /// False when the server has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0)
        return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  /// False at the end of the stream (or a reset).
  bool more() {
    auto chunk = std::string(65'536, '\0');
    const auto got = ::recv(fd_, chunk.data(), chunk.size(), 0);
    if (got < 0)
      REQUIRE_MESSAGE(errno != EAGAIN, "the server sent nothing in time");
    if (got <= 0)
      return false;
    read_.append(chunk, 0, static_cast<std::size_t>(got));
    return true;
  }

  std::string exactly(std::size_t bytes) {
    while (read_.size() < bytes)
      REQUIRE_MESSAGE(more(), "the server closed too early");
    auto out = read_.substr(0, bytes);
    read_.erase(0, bytes);
    return out;
  }

  std::string until(std::string_view mark) {
    auto at = read_.find(mark);
    for (; at == std::string::npos; at = read_.find(mark))
      REQUIRE_MESSAGE(more(), "the server closed too early");
    return exactly(at + mark.size());
  }

  /// Everything up to the end of the stream.
  std::string rest() {
    while (more()) {
    }
    return std::exchange(read_, {});
  }

  http_answer answer(bool with_body = true) {
    auto out = http_answer{};
    out.head = until("\r\n\r\n");
    out.status = std::stoi(out.head.substr(9, 3));
    const auto at = out.head.find("Content-Length: ");
    if (with_body && at != std::string::npos)
      out.body = exactly(std::stoul(out.head.substr(at + 16)));
    return out;
  }

  http_answer handshake(std::string_view target, std::string_view headers = {}) {
    send(std::format("GET {} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{}\r\n",
                     target, headers));
    return answer();
  }

  bool send_frame(int opcode, std::string_view payload, bool final = true) {
    auto bytes = std::string{};
    bytes += static_cast<char>((final ? 0x80 : 0) | opcode);
    const auto wide = payload.size() < 126 ? 0 : payload.size() < 65'536 ? 16 : 64;
    bytes += static_cast<char>(0x80 | (wide == 0    ? static_cast<int>(payload.size())
                                       : wide == 16 ? 126
                                                    : 127));
    for (auto shift = wide - 8; shift >= 0; shift -= 8)
      bytes += static_cast<char>(payload.size() >> shift);
    const auto mask = std::string_view{"\x11\x22\x33\x44"};
    bytes += mask;
    for (auto i = std::size_t{0}; i < payload.size(); ++i)
      bytes += static_cast<char>(payload[i] ^ mask[i % 4]);
    return send(bytes);
  }
  bool send_text(std::string_view payload) { return send_frame(1, payload); }

  ws_message frame() {
    const auto head = exactly(2);
    REQUIRE((head[1] & 0x80) == 0); // servers do not mask
    auto size = static_cast<std::size_t>(head[1] & 0x7f);
    if (size >= 126) {
      const auto wide = exactly(size == 126 ? 2 : 8);
      size = 0;
      for (const auto byte : wide)
        size = size << 8 | static_cast<unsigned char>(byte);
    }
    return {head[0] & 0x0f, exactly(size)};
  }

private:
  int fd_;
  std::string read_;
};

/// What happened in actors so far; tests wait for it.
class events {
public:
  void note(const std::string& what) {
    const auto hold = std::lock_guard{lock_};
    ++seen_[what];
    changed_.notify_all();
  }
  /// Whether `what` happened `times` times before patience ran out.
  bool wait(const std::string& what, int times = 1) {
    auto hold = std::unique_lock{lock_};
    return changed_.wait_for(hold, patience, [&] { return seen_[what] >= times; });
  }
  int count(const std::string& what) {
    const auto hold = std::lock_guard{lock_};
    return seen_[what];
  }

private:
  std::mutex lock_;
  std::condition_variable changed_;
  std::map<std::string, int> seen_;
};

/// Does what the client's text says: "echo X", "close", "die", "hold" (never answers),
/// "error". Other frames are noted: "text:<bytes>", "binary:<size>".
actors::session_actor::behavior_type inline obedient_session(
    actors::session_actor::pointer self, events* log, actors::outbox_ptr out) {
  return {
      [=](const actors::client_frame& frame) -> caf::result<actors::verdict> {
        const auto text = std::string_view{frame.bytes};
        log->note(frame.binary ? std::format("binary:{}", text.size())
                               : std::format("text:{}", text.substr(0, 40)));
        if (text.starts_with("echo "))
          out->push(wire::make_frame(wire::ws_opcode::text, text.substr(5)));
        if (text == "close")
          return actors::verdict::close;
        if (text == "error")
          return actors::to_caf({errc::internal, "told to", {}, nullptr});
        if (text == "hold") // a promise that is dropped is never answered
          return self->make_response_promise<actors::verdict>();
        if (text == "die")
          self->quit(caf::exit_reason::user_shutdown);
        return actors::verdict::go_on;
      },
      [=](const actors::socket_closed&) {
        log->note("socket_closed");
        self->quit();
      },
      [](const actors::login_ended&) {},
      [](actors::room_lost) {},
      [](const actors::check_tokens&) {},
      [out](const actors::say_goodbye&) {
        out->close(actors::close_code::service_restart);
      },
  };
}

struct socket_world {
  two_workers config;
  events log; // before the actors, which use it to their end
  caf::actor_system sys{config};
  std::mutex lock;
  std::vector<actors::outbox_ptr> outboxes; ///< in the order of their sockets
  std::vector<identity> who;
  net::responder routes;
  config::settings settings = [] {
    auto some = config::settings{};
    some.net.port = 0;
    some.net.threads = 2;
    return some;
  }();

  net::backend backend() {
    return {.actors = sys,
            .accounts = {},
            .persistence = {},
            .readers = {},
            .rest_readers = {},
            .rest_writers = {},
            .dispatcher = {},
            .broadcaster = {},
            .open_session =
                [this](actors::outbox_ptr out, identity from, wire::serializer) {
                  auto made = sys.spawn(obedient_session, &log, out);
                  {
                    const auto hold = std::lock_guard{lock};
                    outboxes.push_back(std::move(out));
                    who.push_back(std::move(from));
                  }
                  log.note("session");
                  return made;
                },
            .credentials = {"a secret of the tests, long enough", "sb_publishable_test",
                            "sb_secret_test"},
            .settings = settings,
            .anon_key = {},
            .metrics = {}};
  }

  net::server serve() {
    auto opened = net::server::open(backend(), routes);
    REQUIRE(opened.has_value());
    return std::move(*opened);
  }

  static constexpr auto socket_path =
      std::string_view{"/realtime/v1/websocket?apikey=sb_publishable_test&vsn=2.0.0"};

  /// A client whose handshake is done and whose SESSION stands.
  raw_client connect(const net::server& at, int receive_bytes = 0) {
    auto made = raw_client{at.port(), receive_bytes};
    const auto before = log.count("session");
    REQUIRE(made.handshake(socket_path).status == 101);
    REQUIRE(log.wait("session", before + 1));
    return made;
  }

  actors::outbox_ptr last_outbox() {
    const auto hold = std::lock_guard{lock};
    return outboxes.back();
  }
};

inline wire::frame text_frame(std::string_view payload) {
  return wire::make_frame(wire::ws_opcode::text, payload);
}

} // namespace jessica::test
