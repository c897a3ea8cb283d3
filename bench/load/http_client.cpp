#include "bench/load/http_client.hpp"

#include "bench/load/loopback.hpp"

#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <format>
#include <optional>

namespace jessica::bench {
namespace {

constexpr auto patience = timeval{.tv_sec = 15, .tv_usec = 0};
constexpr auto max_answer_bytes = std::size_t{1} << 20;

/// The socket's limits show as EAGAIN.
[[nodiscard]] std::unexpected<error> late_or_broken(std::string_view what) {
  return errno == EAGAIN
             ? fail(errc::timeout, std::format("{}: no answer in time", what))
             : broken(what);
}

/// A number that begins `text`.
[[nodiscard]] std::optional<std::size_t> number_at(std::string_view text) {
  auto value = std::size_t{0};
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  return read.ec == std::errc{} ? std::optional{value} : std::nullopt;
}

[[nodiscard]] std::optional<std::size_t> content_length(std::string_view head) {
  constexpr auto name = std::string_view{"\r\nContent-Length: "};
  const auto at = head.find(name);
  return at == std::string_view::npos ? std::nullopt
                                      : number_at(head.substr(at + name.size()));
}

} // namespace

result<http_client> http_client::connect(std::uint16_t port) {
  auto socket = connect_to(port);
  if (!socket)
    return std::unexpected{std::move(socket.error())};
  for (const auto which : {SO_RCVTIMEO, SO_SNDTIMEO})
    ::setsockopt(socket->number(), SOL_SOCKET, which, &patience, sizeof patience);
  return http_client{std::move(*socket)};
}

result<http_answer> http_client::post(std::string_view path, std::string_view headers,
                                      std::string_view body) {
  const auto request =
      std::format("POST {} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                  "Content-Type: application/json\r\nContent-Length: {}\r\n{}\r\n{}",
                  path, body.size(), headers, body);
  if (auto sent = send(request); !sent)
    return std::unexpected{std::move(sent.error())};
  return read_answer();
}

result<void> http_client::send(std::string_view request) {
  while (!request.empty()) {
    const auto wrote =
        ::send(socket_.number(), request.data(), request.size(), MSG_NOSIGNAL);
    if (wrote < 0 && errno != EINTR)
      return late_or_broken("send");
    request.remove_prefix(wrote > 0 ? static_cast<std::size_t>(wrote) : 0);
  }
  return {};
}

result<void> http_client::read_more() {
  auto space = std::array<char, 8192>{};
  const auto got = ::recv(socket_.number(), space.data(), space.size(), 0);
  if (got < 0 && errno != EINTR)
    return late_or_broken("receive");
  if (got == 0)
    return fail(errc::unavailable, "the server closed the connection");
  received_.append(space.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  if (received_.size() > max_answer_bytes)
    return fail(errc::too_large, "the answer is too long");
  return {};
}

result<http_answer> http_client::read_answer() {
  constexpr auto end_of_head = std::string_view{"\r\n\r\n"};
  constexpr auto protocol = std::string_view{"HTTP/1.1 "};
  while (!received_.contains(end_of_head))
    if (auto more = read_more(); !more)
      return std::unexpected{std::move(more.error())};
  const auto head_size = received_.find(end_of_head) + end_of_head.size();
  const auto head = received_.substr(0, head_size);
  const auto length = content_length(head);
  const auto status = head.starts_with(protocol)
                          ? number_at(std::string_view{head}.substr(protocol.size()))
                          : std::nullopt;
  if (!length || !status)
    return fail(errc::invalid_input, "the answer is not understood: " + head);
  while (received_.size() < head_size + *length)
    if (auto more = read_more(); !more)
      return std::unexpected{std::move(more.error())};
  auto body = received_.substr(head_size, *length);
  received_.erase(0, head_size + *length);
  return http_answer{static_cast<int>(*status), std::move(body)};
}

} // namespace jessica::bench
