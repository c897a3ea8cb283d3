#include "bench/load/http_fleet.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <format>

namespace jessica::bench {
namespace {

/// For the last answers.
constexpr auto drain_limit = std::chrono::seconds{20};

[[nodiscard]] std::unexpected<error> broken(std::string_view what) {
  return fail(errc::unavailable, std::format("{}: {}", what, std::strerror(errno)));
}

[[nodiscard]] std::size_t number_in(std::string_view text) {
  auto value = std::size_t{0};
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

} // namespace

http_piece read_http(std::string_view bytes) {
  constexpr auto protocol = std::string_view{"HTTP/1.1 "};
  constexpr auto length = std::string_view{"\r\nContent-Length: "};
  const auto end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos)
    return {};
  const auto head = bytes.substr(0, end);
  const auto at = head.find(length);
  const auto body =
      at == std::string_view::npos ? 0 : number_in(head.substr(at + length.size()));
  const auto size = end + 4 + body;
  if (bytes.size() < size)
    return {};
  const auto status =
      head.starts_with(protocol) ? number_in(head.substr(protocol.size())) : 0;
  return {size, static_cast<int>(status), bytes.substr(end + 4, body)};
}

result<void> http_fleet::open(std::uint16_t port, std::size_t clients) {
  epoll_ = descriptor{::epoll_create1(EPOLL_CLOEXEC)};
  auto server = sockaddr_in{};
  server.sin_family = AF_INET;
  server.sin_port = htons(port);
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  while (clients_.size() < clients) {
    auto& one = clients_.emplace_back();
    one.socket = descriptor{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const auto on = 1;
    ::setsockopt(one.socket.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(one.socket.number(), reinterpret_cast<const sockaddr*>(&server),
                  sizeof server) != 0)
      return broken("connect");
    auto event = epoll_event{};
    event.events = EPOLLIN;
    event.data.u64 = clients_.size() - 1;
    if (::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, one.socket.number(), &event) != 0)
      return broken("epoll");
  }
  return {};
}

result<void> http_fleet::send(std::size_t number) {
  auto& one = clients_[number];
  const auto request = talk_.next(number);
  one.sent = clock::now();
  const auto wrote =
      ::send(one.socket.number(), request.data(), request.size(), MSG_NOSIGNAL);
  if (wrote != static_cast<ssize_t>(request.size())) // it fits into any socket
    return broken("send");
  one.waiting = true;
  ++waiting_;
  return {};
}

result<void> http_fleet::receive(std::size_t number, clock::time_point end) {
  auto& one = clients_[number];
  auto space = std::array<char, 16'384>{};
  const auto got = ::recv(one.socket.number(), space.data(), space.size(), 0);
  if (got <= 0)
    return got == 0 ? fail(errc::unavailable, "the server closed a connection")
                    : broken("receive");
  one.received.append(space.data(), static_cast<std::size_t>(got));
  const auto piece = read_http(one.received);
  if (piece.size == 0 || !one.waiting)
    return {};
  const auto now = clock::now();
  talk_.answered(number, piece.status, piece.body, now - one.sent);
  one.received.erase(0, piece.size);
  one.waiting = false;
  --waiting_;
  return now < end ? send(number) : result<void>{};
}

result<void> http_fleet::run(clock::duration length) {
  const auto end = clock::now() + length;
  for (auto i = std::size_t{0}; i < clients_.size(); ++i)
    if (auto sent = send(i); !sent)
      return sent;
  auto events = std::array<epoll_event, 256>{};
  while (waiting_ > 0) {
    constexpr auto turn_ms = 100;
    const auto count = ::epoll_wait(epoll_.number(), events.data(),
                                    static_cast<int>(events.size()), turn_ms);
    for (auto i = 0; i < count; ++i)
      if (auto got = receive(events[static_cast<std::size_t>(i)].data.u64, end); !got)
        return got;
    if (clock::now() > end + drain_limit)
      return fail(errc::timeout, "answers are missing");
  }
  return {};
}

} // namespace jessica::bench
