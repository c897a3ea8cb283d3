#include "bench/load/kept_sockets.hpp"

#include "bench/load/loopback.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <ctime>
#include <utility>

namespace jessica::bench {

result<void> kept_sockets::open(std::uint16_t port, std::size_t clients) {
  epoll_ = descriptor{::epoll_create1(EPOLL_CLOEXEC)};
  while (sockets_.size() < clients) {
    auto socket = connect_to(port);
    if (!socket)
      return std::unexpected{std::move(socket.error())};
    auto event = epoll_event{};
    event.events = EPOLLIN;
    event.data.u64 = sockets_.size();
    if (::epoll_ctl(epoll_.number(), EPOLL_CTL_ADD, socket->number(), &event) != 0)
      return broken("epoll");
    sockets_.push_back(std::move(*socket));
  }
  return {};
}

result<void> kept_sockets::send(std::size_t client, std::string_view request) {
  const auto wrote =
      ::send(sockets_[client].number(), request.data(), request.size(), MSG_NOSIGNAL);
  if (wrote != static_cast<ssize_t>(request.size()))
    return broken("send");
  return {};
}

result<void> kept_sockets::receive(std::size_t client, std::string& to) {
  auto space = std::array<char, 16'384>{};
  const auto got = ::recv(sockets_[client].number(), space.data(), space.size(), 0);
  if (got <= 0)
    return got == 0 ? fail(errc::unavailable, "the server closed a connection")
                    : broken("receive");
  to.append(space.data(), static_cast<std::size_t>(got));
  return {};
}

std::span<const std::size_t> kept_sockets::heard(std::chrono::nanoseconds wait) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(wait);
  const auto limit = timespec{whole.count(), (wait - whole).count()};
  auto events = std::array<epoll_event, 256>{};
  const auto count = ::epoll_pwait2(epoll_.number(), events.data(),
                                    static_cast<int>(events.size()), &limit, nullptr);
  heard_.clear();
  for (auto i = 0; i < count; ++i)
    heard_.push_back(events[static_cast<std::size_t>(i)].data.u64);
  return heard_;
}

} // namespace jessica::bench
