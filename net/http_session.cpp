#include "net/http_session.hpp"

#include "net/router.hpp"
#include "net/upgrade.hpp"
#include "ops/log.hpp"
#include "ops/metrics.hpp"
#include "wire/problem.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include <algorithm>
#include <array>
#include <exception>
#include <format>
#include <optional>

namespace jessica::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

namespace {

constexpr auto websocket_path = std::string_view{"/realtime/v1/websocket"};
constexpr auto go_on_line = std::string_view{"HTTP/1.1 100 Continue\r\n\r\n"};
constexpr auto first_read_bytes = std::size_t{4096};
/// An idle connection keeps a buffer of at most this.
constexpr auto idle_buffer_bytes = std::size_t{8192};
/// A client that was refused in mid-sentence may go on talking this long: closing at
/// once would reset the connection and take the refusal from it.
constexpr auto linger_time = std::chrono::milliseconds{1000};
constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);

using request_parser = http::request_parser<http::string_body>;

std::string lower(std::string_view text) {
  auto out = std::string{text};
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

http_request plain(http::request<http::string_body>&& from, const std::string& ip,
                   std::size_t trusted_proxies) {
  auto out = http_request{};
  out.method = from.method_string();
  const auto target = std::string_view{from.target()};
  const auto mark = target.find('?');
  out.path = target.substr(0, mark);
  if (mark != std::string_view::npos)
    out.query = target.substr(mark + 1);
  for (const auto& field : from)
    out.headers.emplace_back(lower(field.name_string()), std::string{field.value()});
  out.body = std::move(from.body());
  out.remote_ip = client_address(out, ip, trusted_proxies);
  return out;
}

/// As the Date header has it; formatted once a second.
const std::string& date_now() {
  thread_local auto made_for = std::chrono::sys_seconds::min();
  thread_local auto text = std::string{};
  const auto now =
      std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  if (now != made_for) {
    made_for = now;
    text = std::format("{:%a, %d %b %Y %H:%M:%S} GMT", now);
  }
  return text;
}

bool one_line(std::string_view text) {
  return text.find_first_of(std::string_view{"\r\n\0", 3}) == std::string_view::npos;
}

/// The bytes before the body. A header that would break the message is left out.
std::string head_of(const http_response& from, bool keep_alive) {
  const auto reason =
      http::obsolete_reason(http::int_to_status(static_cast<unsigned>(from.status)));
  auto out = std::format("HTTP/1.1 {} {}\r\nDate: {}\r\n", from.status,
                         std::string_view{reason}, date_now());
  for (const auto& [name, value] : from.headers)
    if (one_line(name) && one_line(value))
      out.append(name).append(": ").append(value).append("\r\n");
  if (from.status >= 200 && from.status != 204 && from.status != 304)
    out += std::format("Content-Length: {}\r\n", from.body.size());
  out += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  return out;
}

http_response refusal(wire::problem from) {
  auto out = http_response{from.status, std::move(from.headers), std::move(from.body)};
  const auto missing = [&out](std::string_view name) {
    return std::ranges::none_of(out.headers, [name](const auto& field) {
      return beast::iequals(field.first, name);
    });
  };
  if (missing("content-type"))
    out.headers.emplace_back("Content-Type", "application/json; charset=utf-8");
  if (missing("access-control-allow-origin"))
    out.headers.emplace_back("Access-Control-Allow-Origin", "*");
  return out;
}

/// What a request that could not be read is answered; none: nobody is there to read it.
std::optional<http_response> read_failure(const error_code& why) {
  const auto end = http::make_error_code(http::error::end_of_stream);
  if (why.category() != end.category() || why == http::error::end_of_stream ||
      why == http::error::partial_message)
    return {};
  if (why == http::error::body_limit)
    return refusal(wire::function_problem(
        {errc::too_large, "the request body is too large", {}, nullptr}));
  if (why == http::error::header_limit) {
    auto out = refusal(wire::function_problem(
        {errc::too_large, "the request headers are too large", {}, nullptr}));
    out.status = 431;
    return out;
  }
  return refusal(wire::function_problem(
      {errc::invalid_input, "not an HTTP/1.1 request: " + why.message(), {}, nullptr}));
}

class http_session final : public connection {
public:
  http_session(reactor& home, tcp_socket socket, connection_permit permit)
      : home_(home),
        limits_(home.with().settings.net),
        socket_(std::move(socket)),
        permit_(std::move(permit)) {
    auto ignored = error_code{};
    remote_ip_ = socket_.remote_endpoint(ignored).address().to_string();
    home_.add(*this, limits_.header_timeout);
  }
  http_session(http_session&&) = delete;
  ~http_session() { home_.remove(*this); }

  asio::awaitable<void> run();

  void cut() noexcept override {
    auto ignored = error_code{};
    socket_.close(ignored);
  }
  void retire() noexcept override {
    if (idle_)
      cut();
  }

private:
  asio::awaitable<error_code> wait_for_request();
  asio::awaitable<error_code> read(request_parser& parser);
  asio::awaitable<bool> serve(request_parser& parser);
  asio::awaitable<http_response> ask(http_request request);
  asio::awaitable<bool> write(http_response what, bool keep_alive, bool with_body);
  asio::awaitable<void> linger();
  asio::awaitable<void> upgrade(http_request request);

  reactor& home_;
  const config::net_settings& limits_;
  tcp_socket socket_;
  connection_permit permit_;
  std::string remote_ip_;
  beast::flat_buffer buffer_;
  bool idle_ = true; ///< between two requests
};

asio::awaitable<void> http_session::run() {
  for (;;) {
    auto parser = request_parser{};
    parser.header_limit(static_cast<std::uint32_t>(limits_.max_header_bytes));
    parser.body_limit(limits_.max_body_bytes);
    auto ec = co_await wait_for_request();
    if (!ec)
      ec = co_await read(parser);
    if (ec) {
      if (auto answer = read_failure(ec)) {
        co_await write(std::move(*answer), false, true);
        co_await linger();
      }
      co_return;
    }
    if (!co_await serve(parser))
      co_return;
    home_.set_limit(*this, limits_.keep_alive);
  }
}

/// Returns with the first bytes of a request; from then on its limit counts. The limit
/// of the connection's first request began with the connection.
asio::awaitable<error_code> http_session::wait_for_request() {
  const auto first = idle_;
  idle_ = true;
  if (buffer_.size() == 0) {
    if (home_.retiring())
      co_return asio::error::operation_aborted;
    if (buffer_.capacity() > idle_buffer_bytes)
      buffer_.shrink_to_fit();
    const auto [ec, size] =
        co_await socket_.async_read_some(buffer_.prepare(first_read_bytes), as_tuple);
    if (ec)
      co_return ec;
    buffer_.commit(size);
  }
  idle_ = false;
  if (!first)
    home_.set_limit(*this, limits_.header_timeout);
  co_return error_code{};
}

asio::awaitable<error_code> http_session::read(request_parser& parser) {
  const auto [head_ec, head_size] =
      co_await http::async_read_header(socket_, buffer_, parser, as_tuple);
  if (head_ec)
    co_return head_ec;
  const auto expects =
      beast::iequals(parser.get()[http::field::expect], "100-continue");
  if (expects && !parser.is_done() && buffer_.size() == 0) {
    const auto [ec, size] =
        co_await asio::async_write(socket_, asio::buffer(go_on_line), as_tuple);
    if (ec)
      co_return ec;
  }
  const auto [ec, size] = co_await http::async_read(socket_, buffer_, parser, as_tuple);
  co_return ec;
}

/// False: the connection has ended or belongs to a WebSocket now.
asio::awaitable<bool> http_session::serve(request_parser& parser) {
  static auto requests =
      ops::counter{"jessica_net_requests_total", "HTTP requests, upgrades included."};
  requests.add();
  const auto wants_socket = beast::websocket::is_upgrade(parser.get());
  const auto wants_body = parser.get().method() != http::verb::head;
  const auto keep = parser.get().keep_alive();
  auto request = plain(parser.release(), remote_ip_, limits_.trusted_proxies);
  if (wants_socket && request.path == websocket_path) {
    co_await upgrade(std::move(request));
    co_return false;
  }
  home_.clear_limit(*this); // the route's own limits hold
  auto answer = co_await ask(std::move(request));
  home_.set_limit(*this, limits_.keep_alive);
  const auto stays = keep && !home_.retiring();
  const auto sent = co_await write(std::move(answer), stays, wants_body);
  if (sent && !stays)
    co_await linger();
  co_return sent&& stays;
}

asio::awaitable<http_response> http_session::ask(http_request request) {
  try {
    co_return co_await home_.routes()(std::move(request),
                                      call{home_.with(), home_.actors()});
  } catch (const std::exception& what) {
    ops::error("request.exception", {{"what", what.what()}});
  }
  co_return refusal(
      wire::function_problem({errc::internal, "a route threw", {}, nullptr}));
}

asio::awaitable<bool> http_session::write(http_response what, bool keep_alive,
                                          bool with_body) {
  const auto head = head_of(what, keep_alive);
  const auto body = with_body ? asio::buffer(what.body) : asio::const_buffer{};
  const auto parts = std::array<asio::const_buffer, 2>{asio::buffer(head), body};
  const auto [ec, size] = co_await asio::async_write(socket_, parts, as_tuple);
  co_return !ec; // a client that has gone needs no answer
}

asio::awaitable<void> http_session::linger() {
  auto ignored = error_code{};
  socket_.shutdown(tcp_socket::shutdown_send, ignored);
  home_.set_limit(*this, linger_time);
  for (auto ec = error_code{}; !ec;) {
    buffer_.clear();
    auto read =
        co_await socket_.async_read_some(buffer_.prepare(first_read_bytes), as_tuple);
    ec = std::get<0>(read);
  }
}

asio::awaitable<void> http_session::upgrade(http_request request) {
  auto allowed = allow_upgrade(std::move(request), home_.with());
  if (allowed && home_.retiring())
    allowed = fail(errc::unavailable, "the server is stopping");
  if (allowed && buffer_.size() > 0)
    allowed = fail(errc::invalid_input, "bytes before the handshake was answered");
  if (!allowed) {
    co_await write(refusal(wire::upgrade_problem(allowed.error())), false, true);
    co_await linger();
    co_return;
  }
  serve_websocket(home_, std::move(socket_), std::move(permit_), std::move(*allowed));
}

asio::awaitable<void> run_session(reactor& home, tcp_socket socket,
                                  connection_permit permit) {
  auto session = http_session{home, std::move(socket), std::move(permit)};
  co_await session.run();
}

void session_ended(const std::exception_ptr& why) {
  if (!why)
    return;
  try {
    std::rethrow_exception(why);
  } catch (const std::exception& what) {
    ops::error("connection.exception", {{"what", what.what()}});
  }
}

} // namespace

void serve_http(reactor& home, tcp_socket socket, connection_permit permit) {
  asio::co_spawn(home.context(),
                 run_session(home, std::move(socket), std::move(permit)),
                 session_ended);
}

} // namespace jessica::net
