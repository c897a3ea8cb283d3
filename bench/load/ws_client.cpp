#include "bench/load/ws_client.hpp"

#include "bench/load/loopback.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <format>

namespace jessica::bench {
namespace {

/// Each has its own 28,000 ephemeral ports.
constexpr auto source_addresses = std::size_t{16};
constexpr auto max_answer_bytes = std::size_t{8192};
/// Any value will do: the answer to the key is not checked.
constexpr auto handshake_key = std::string_view{"amVzc2ljYS1iZW5jaC0wMQ=="};

[[nodiscard]] result<void> bind_source(int socket, std::size_t number) {
  const auto on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // The port is chosen when the other end is known.
  ::setsockopt(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  const auto from = loopback(0, static_cast<std::uint32_t>(number % source_addresses));
  if (::bind(socket, reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0)
    return broken("bind");
  return {};
}

} // namespace

ws_client::ws_client(descriptor socket, std::size_t number, const ws_address& to)
    : socket_(std::move(socket)),
      number_(number),
      unsent_(std::format("GET {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n"
                          "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Key: {}\r\nSec-WebSocket-Version: 13\r\n\r\n",
                          to.path, to.port, handshake_key)),
      mask_(static_cast<std::uint32_t>(number) * 2654435761U + 1U) {}

result<ws_client> ws_client::begin(const ws_address& to, std::size_t number) {
  auto socket =
      descriptor{::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!socket)
    return broken("socket");
  if (auto bound = bind_source(socket.number(), number); !bound)
    return std::unexpected{std::move(bound.error())};
  const auto server = loopback(to.port);
  const auto connected = ::connect(
      socket.number(), reinterpret_cast<const sockaddr*>(&server), sizeof server);
  if (connected != 0 && errno != EINPROGRESS)
    return broken("connect");
  return ws_client{std::move(socket), number, to};
}

result<void> ws_client::advance(std::span<char> space, bool ended, listener& to) {
  if (phase_ == phase::connecting) {
    if (auto done = finish_connecting(); !done)
      return done;
  }
  if (auto sent = flush(); !sent)
    return sent;
  return read(space, ended, to);
}

result<void> ws_client::finish_connecting() {
  auto cause = 0;
  auto size = socklen_t{sizeof cause};
  ::getsockopt(socket(), SOL_SOCKET, SO_ERROR, &cause, &size);
  if (cause != 0) {
    errno = cause;
    return broken("connect");
  }
  phase_ = phase::upgrading;
  return {};
}

result<void> ws_client::send(opcode kind, std::string_view payload) {
  const auto waiting = !unsent_.empty();
  constexpr auto odd_step = std::uint32_t{0x9e3779b9};
  append_client_frame(unsent_, kind, payload, mask_ += odd_step);
  return waiting ? result<void>{} : flush();
}

result<void> ws_client::flush() {
  auto sent = std::size_t{0};
  while (sent < unsent_.size()) {
    const auto wrote = ::send(socket(), unsent_.data() + sent, unsent_.size() - sent,
                              MSG_NOSIGNAL | MSG_DONTWAIT);
    if (wrote < 0 && errno == EINTR)
      continue;
    if (wrote < 0 && errno == EAGAIN)
      break;
    if (wrote < 0)
      return broken("send");
    sent += static_cast<std::size_t>(wrote);
  }
  unsent_.erase(0, sent);
  return {};
}

result<void> ws_client::read(std::span<char> space, bool ended, listener& to) {
  for (;;) {
    const auto got = ::recv(socket(), space.data(), space.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0 && errno == EAGAIN)
      return {};
    if (got < 0)
      return broken("receive");
    if (got == 0)
      return fail(errc::unavailable, "the server closed the connection");
    const auto size = static_cast<std::size_t>(got);
    if (auto taken = take({space.data(), size}, to); !taken)
      return taken;
    // A short read has emptied the socket; only the end could still be in it.
    if (size < space.size() && !ended)
      return {};
  }
}

result<void> ws_client::take(std::string_view bytes, listener& to) {
  if (partial_.empty()) {
    const auto used = take_whole(bytes, to);
    if (!used)
      return std::unexpected{used.error()};
    partial_.assign(bytes.substr(*used));
    return {};
  }
  partial_ += bytes;
  const auto used = take_whole(partial_, to);
  if (!used)
    return std::unexpected{used.error()};
  partial_.erase(0, *used);
  return {};
}

result<std::size_t> ws_client::take_whole(std::string_view bytes, listener& to) {
  auto used = std::size_t{0};
  if (phase_ == phase::upgrading) {
    const auto head = take_handshake(bytes);
    if (!head || *head == 0)
      return head;
    used = *head;
  }
  for (;;) {
    const auto next = first_frame(bytes.substr(used));
    if (!next)
      return std::unexpected{next.error()};
    if (!*next)
      return used;
    used += (*next)->size;
    if (auto taken = take_frame(**next, to); !taken)
      return std::unexpected{std::move(taken.error())};
  }
}

result<std::size_t> ws_client::take_handshake(std::string_view bytes) {
  constexpr auto end_of_head = std::string_view{"\r\n\r\n"};
  const auto end = bytes.find(end_of_head);
  if (end == std::string_view::npos) {
    if (bytes.size() > max_answer_bytes)
      return fail(errc::invalid_input, "the answer to the handshake has no end");
    return 0;
  }
  if (!bytes.starts_with("HTTP/1.1 101 "))
    return fail(errc::unavailable, std::format("the server refused the handshake: {}",
                                               bytes.substr(0, bytes.find('\r'))));
  phase_ = phase::open;
  return end + end_of_head.size();
}

result<void> ws_client::take_frame(const server_frame& what, listener& to) {
  switch (what.kind) {
  case opcode::text:
  case opcode::binary:
    to.frame(number_, what);
    return {};
  case opcode::ping:
    return send(opcode::pong, what.payload);
  case opcode::pong:
    return {};
  case opcode::close:
    break;
  }
  const auto code = what.payload.size() < 2
                        ? 0
                        : static_cast<unsigned char>(what.payload[0]) * 256 +
                              static_cast<unsigned char>(what.payload[1]);
  return fail(errc::unavailable, std::format("the server closed with code {}", code));
}

} // namespace jessica::bench
