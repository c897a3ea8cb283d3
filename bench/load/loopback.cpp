#include "bench/load/loopback.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <format>

namespace jessica::bench {

sockaddr_in loopback(std::uint16_t port, std::uint32_t host) {
  auto at = sockaddr_in{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK + host);
  return at;
}

result<descriptor> connect_to(std::uint16_t port) {
  auto socket = descriptor{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!socket)
    return broken("socket");
  const auto on = 1;
  ::setsockopt(socket.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const auto server = loopback(port);
  if (::connect(socket.number(), reinterpret_cast<const sockaddr*>(&server),
                sizeof server) != 0)
    return broken("connect");
  return socket;
}

std::unexpected<error> broken(std::string_view what) {
  return fail(errc::unavailable, std::format("{}: {}", what, std::strerror(errno)));
}

} // namespace jessica::bench
