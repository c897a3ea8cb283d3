#include "net/http_session.hpp"

#include "net/http_head.hpp"
#include "net/router.hpp"
#include "net/send_stream.hpp"
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
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

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

  void cut() noexcept override;
  void retire() noexcept override;
  void expire() noexcept override;
  void look() noexcept override;

private:
  asio::awaitable<error_code> wait_for_request();
  asio::awaitable<error_code> read(request_parser& parser);
  asio::awaitable<bool> serve(request_parser& parser);
  asio::awaitable<http_response> ask(http_request request);
  asio::awaitable<bool> write(http_response what, bool keep_alive, bool with_body);
  asio::awaitable<bool> stream(http_response what, bool keep_alive, bool chunked);
  void pace(bool writing) noexcept;
  void watch_client();
  [[nodiscard]] bool client_has_gone() noexcept;
  asio::awaitable<void> linger();
  asio::awaitable<void> upgrade(http_request request);

  reactor& home_;
  const config::net_settings& limits_;
  tcp_socket socket_;
  connection_permit permit_;
  std::string remote_ip_;
  beast::flat_buffer buffer_;
  bool idle_ = true;                      ///< between two requests
  departure client_;                      ///< of the request that is being answered
  std::shared_ptr<streamed_body> stream_; ///< is being sent
};

/// Whoever waits for an answer or for more of one is told; it cannot be sent any more.
void http_session::cut() noexcept {
  auto ignored = error_code{};
  socket_.close(ignored);
  if (client_.then)
    std::exchange(client_.then, nullptr)();
  if (stream_)
    stream_->leave();
}

void http_session::retire() noexcept {
  if (idle_)
    return cut();
  if (stream_) // the rest of the time is for its last words
    home_.set_limit(*this, std::chrono::milliseconds{limits_.drain_timeout} * 3 / 4);
}

void http_session::expire() noexcept {
  if (!home_.retiring() || !stream_ || !stream_->stop)
    return cut();
  home_.set_limit(*this, std::chrono::milliseconds{limits_.drain_timeout} / 4);
  std::exchange(stream_->stop, nullptr)();
}

asio::awaitable<void> http_session::run() {
  for (;;) {
    auto parser = request_parser{};
    parser.header_limit(static_cast<std::uint32_t>(limits_.max_header_bytes));
    parser.body_limit(limits_.max_body_bytes);
    auto ec = co_await wait_for_request();
    if (!ec)
      ec = co_await read(parser);
    if (ec) {
      if (auto answer = read_failure(ec, std::string{parser.get().target()})) {
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

/// (A client that has only finished to speak looks the same; HTTP clients do not do
/// that.) Bytes that wait are a next request: they hide a close until they are read.
bool http_session::client_has_gone() noexcept {
  auto byte = char{};
  const auto got = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

/// A client that closed its socket wants no answer.
void http_session::look() noexcept {
  if (client_.then && client_has_gone())
    std::exchange(client_.then, nullptr)();
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
  constexpr auto first_with_chunks = 11U; // HTTP/1.1
  const auto chunked = parser.get().version() >= first_with_chunks;
  auto request = plain(parser.release(), remote_ip_, limits_.trusted_proxies);
  if (wants_socket && request.path == websocket_path) {
    co_await upgrade(std::move(request));
    co_return false;
  }
  home_.clear_limit(*this); // the route's own limits hold
  auto answer = co_await ask(std::move(request));
  home_.set_limit(*this, limits_.keep_alive);
  const auto streams = answer.stream != nullptr && wants_body;
  const auto stays = keep && !home_.retiring() && (chunked || !streams);
  auto sent = false;
  if (streams)
    sent = co_await stream(std::move(answer), stays, chunked);
  else
    sent = co_await write(std::move(answer), stays, wants_body);
  if (sent && !stays)
    co_await linger();
  co_return sent&& stays;
}

asio::awaitable<http_response> http_session::ask(http_request request) {
  try {
    co_return co_await home_.routes()(std::move(request),
                                      call{home_.with(), home_.actors(), &client_});
  } catch (const std::exception& what) {
    ops::error("request.exception", {{"what", what.what()}});
  }
  co_return refusal_of(
      wire::function_problem({errc::internal, "a route threw", {}, nullptr}));
}

asio::awaitable<bool> http_session::write(http_response what, bool keep_alive,
                                          bool with_body) {
  const auto head = response_head(what, body_form::sized, keep_alive);
  const auto body = with_body ? asio::buffer(what.body) : asio::const_buffer{};
  const auto parts = std::array<asio::const_buffer, 2>{asio::buffer(head), body};
  const auto [ec, size] = co_await asio::async_write(socket_, parts, as_tuple);
  co_return !ec; // a client that has gone needs no answer
}

asio::awaitable<bool> http_session::stream(http_response what, bool keep_alive,
                                           bool chunked) {
  const auto body = std::move(what.stream);
  const auto form = chunked ? body_form::chunked : body_form::until_close;
  stream_ = body;
  body->on_broken([this] { cut(); });
  watch_client();
  if (home_.retiring())
    retire();
  else
    home_.clear_limit(*this);
  const auto sent = co_await send_stream(
      socket_, *body,
      {response_head(what, form, keep_alive), chunked, [this](bool on) { pace(on); }});
  stream_ = nullptr;
  body->leave();
  home_.set_limit(*this, limits_.keep_alive);
  if (sent) {
    auto ignored = error_code{};
    socket_.cancel(ignored); // the watch; nothing else is under way
  }
  co_return sent;
}

/// The client has a limit to take what it is given; whoever makes the body has its own.
void http_session::pace(bool writing) noexcept {
  if (home_.retiring())
    return; // its time runs already
  if (writing)
    home_.set_limit(*this, limits_.keep_alive);
  else
    home_.clear_limit(*this);
}

/// A client that leaves in the middle of a stream is noticed at once, not by the next
/// write.
void http_session::watch_client() {
  socket_.async_wait(tcp_socket::wait_read,
                     [this, of = std::weak_ptr{stream_}](const error_code& ec) {
                       const auto body = of.lock();
                       if (!ec && body && body == stream_ && client_has_gone())
                         cut();
                     });
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
    co_await write(refusal_of(wire::upgrade_problem(allowed.error())), false, true);
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
