#include "bench/load/completion_fleet.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <format>
#include <utility>

namespace jessica::bench {
namespace {

/// For the last answers.
constexpr auto drain_limit = std::chrono::seconds{20};

[[nodiscard]] std::int64_t now_ns() {
  return std::chrono::nanoseconds{completion_fleet::clock::now().time_since_epoch()}
      .count();
}

[[nodiscard]] std::unexpected<error> broken(std::string_view what) {
  return fail(errc::unavailable, std::format("{}: {}", what, std::strerror(errno)));
}

} // namespace

provider_times find_times(std::string_view bytes) {
  constexpr auto mark = std::string_view{R"("content":")"};
  for (auto at = bytes.find(mark); at != std::string_view::npos;
       at = bytes.find(mark, at + 1)) {
    auto times = provider_times{};
    const auto* const end = bytes.data() + bytes.size();
    const auto asked =
        std::from_chars(bytes.data() + at + mark.size(), end, times.asked);
    if (asked.ec != std::errc{} || asked.ptr == end || *asked.ptr != ' ')
      continue;
    const auto said = std::from_chars(asked.ptr + 1, end, times.said);
    if (said.ec == std::errc{} && said.ptr != end && *said.ptr == ' ')
      return times;
  }
  return {};
}

bool is_whole_response(std::string_view bytes) {
  constexpr auto length = std::string_view{"\r\nContent-Length: "};
  const auto end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos)
    return false;
  const auto head = bytes.substr(0, end + 2);
  const auto at = head.find(length);
  if (at == std::string_view::npos)
    return bytes.size() > end + 4 && bytes.ends_with("\r\n0\r\n\r\n");
  auto size = std::size_t{0};
  std::from_chars(head.data() + at + length.size(), head.data() + head.size(), size);
  return bytes.size() >= end + 4 + size;
}

result<completion_fleet> completion_fleet::open(std::uint16_t port,
                                                std::size_t connections,
                                                std::vector<std::string> requests) {
  auto made = completion_fleet{};
  made.requests_ = std::move(requests);
  made.epoll_ = descriptor{::epoll_create1(EPOLL_CLOEXEC)};
  auto server = sockaddr_in{};
  server.sin_family = AF_INET;
  server.sin_port = htons(port);
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (auto i = std::size_t{0}; i < connections; ++i) {
    auto& one = made.clients_.emplace_back();
    one.socket = descriptor{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const auto on = 1;
    ::setsockopt(one.socket.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(one.socket.number(), reinterpret_cast<const sockaddr*>(&server),
                  sizeof server) != 0)
      return broken("connect");
    auto event = epoll_event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    if (::epoll_ctl(made.epoll_.number(), EPOLL_CTL_ADD, one.socket.number(), &event) !=
        0)
      return broken("epoll");
    made.idle_.push_back(i);
  }
  return made;
}

result<void> completion_fleet::ask(std::size_t number) {
  auto& one = clients_[number];
  const auto& request = requests_[number % requests_.size()];
  one.received.clear();
  one.heard = false;
  one.sent = now_ns();
  const auto wrote =
      ::send(one.socket.number(), request.data(), request.size(), MSG_NOSIGNAL);
  if (wrote != static_cast<ssize_t>(request.size())) // it fits into any socket
    return broken("send");
  return {};
}

result<void> completion_fleet::receive(std::size_t number, completion_score& to) {
  auto& one = clients_[number];
  auto space = std::array<char, 16'384>{};
  const auto got = ::recv(one.socket.number(), space.data(), space.size(), 0);
  if (got <= 0)
    return got == 0 ? fail(errc::unavailable, "the server closed a connection")
                    : broken("receive");
  const auto now = now_ns();
  one.received.append(space.data(), static_cast<std::size_t>(got));
  if (!one.heard)
    if (const auto times = find_times(one.received); times.asked != 0) {
      one.heard = true;
      to.first.record(
          std::chrono::nanoseconds{now - one.sent - (times.said - times.asked)});
    }
  if (!is_whole_response(one.received))
    return {};
  to.whole.record(std::chrono::nanoseconds{now - one.sent});
  to.refused += one.heard && one.received.starts_with("HTTP/1.1 200") ? 0 : 1;
  idle_.push_back(number);
  return {};
}

result<completion_score> completion_fleet::run(std::size_t rate,
                                               clock::duration length) {
  const auto pause = std::chrono::nanoseconds{std::chrono::seconds{1}} / rate;
  auto score = completion_score{};
  auto events = std::array<epoll_event, 256>{};
  const auto begun = clock::now();
  const auto end = begun + length;
  auto due = begun;
  while (due < end || idle_.size() < clients_.size()) {
    for (auto now = clock::now(); due < end && due <= now && !idle_.empty();
         due += pause) {
      score.late += now - due > std::chrono::milliseconds{100} ? 1 : 0;
      const auto next = idle_.back();
      idle_.pop_back();
      if (auto asked = ask(next); !asked)
        return std::unexpected{asked.error()};
    }
    if (clock::now() > end + drain_limit)
      return fail(errc::timeout, "answers are missing");
    const auto wait = timespec{0, due < end && !idle_.empty() ? 200'000 : 5'000'000};
    const auto count = ::epoll_pwait2(epoll_.number(), events.data(),
                                      static_cast<int>(events.size()), &wait, nullptr);
    for (auto i = 0; i < count; ++i)
      if (auto got = receive(events[static_cast<std::size_t>(i)].data.u64, score); !got)
        return std::unexpected{got.error()};
  }
  return score;
}

} // namespace jessica::bench
