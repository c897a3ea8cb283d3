#include "bench/load/http_fleet.hpp"

#include <charconv>

namespace jessica::bench {
namespace {

/// For the last answers.
constexpr auto drain_limit = std::chrono::seconds{20};

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
  clients_.resize(clients);
  return sockets_.open(port, clients);
}

result<void> http_fleet::send(std::size_t number) {
  auto& one = clients_[number];
  const auto request = talk_.next(number);
  one.sent = clock::now();
  if (auto sent = sockets_.send(number, request); !sent)
    return sent;
  one.waiting = true;
  ++waiting_;
  return {};
}

result<void> http_fleet::receive(std::size_t number, clock::time_point end) {
  auto& one = clients_[number];
  if (auto got = sockets_.receive(number, one.received); !got)
    return got;
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
  while (waiting_ > 0) {
    for (const auto number : sockets_.heard(std::chrono::milliseconds{100}))
      if (auto got = receive(number, end); !got)
        return got;
    if (clock::now() > end + drain_limit)
      return fail(errc::timeout, "answers are missing");
  }
  return {};
}

} // namespace jessica::bench
