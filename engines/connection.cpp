#include "engines/connection.hpp"

#include "engines/http_answer.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <cerrno>
#include <tuple>
#include <utility>

namespace jessica::engines {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

namespace {

constexpr auto as_values = asio::as_tuple(asio::use_awaitable);
using tls_stream = asio::ssl::stream<tcp::socket&>;

/// Bytes that left the socket, and that nobody asked for.
[[nodiscard]] bool has_unread(SSL* tls) noexcept {
  return SSL_pending(tls) > 0 || SSL_has_pending(tls) != 0 ||
         BIO_ctrl_pending(SSL_get_rbio(tls)) > 0;
}

/// Ends the try at one address when its share of the time is over.
class try_limit {
public:
  try_limit(tcp::socket& of, std::chrono::steady_clock::time_point at)
      : trying_(std::make_shared<tcp::socket*>(&of)), timer_(of.get_executor(), at) {
    timer_.async_wait([trying = trying_](const error_code& ec) {
      auto ignored = error_code{};
      if (!ec && *trying != nullptr)
        (*trying)->cancel(ignored);
    });
  }
  ~try_limit() { *trying_ = nullptr; }
  try_limit(const try_limit&) = delete;
  try_limit& operator=(const try_limit&) = delete;

private:
  std::shared_ptr<tcp::socket*> trying_; ///< to null: the try is over
  asio::steady_timer timer_;
};

[[nodiscard]] provider_fault fault_of(fault_kind kind, const error_code& ec) {
  return {kind, ec.message()};
}

} // namespace

struct tls_trust::state {
  asio::ssl::context context{asio::ssl::context::tls_client};
};

tls_trust::tls_trust() : state_(std::make_unique<state>()) {}
tls_trust::~tls_trust() = default;

result<std::shared_ptr<tls_trust>> tls_trust::open(const std::string& ca_file) {
  auto made = std::make_shared<tls_trust>();
  auto& context = made->inside().context;
  auto ec = error_code{};
  context.set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1,
                      ec);
  if (ca_file.empty())
    context.set_default_verify_paths(ec);
  else
    context.load_verify_file(ca_file, ec);
  if (ec)
    return fail(errc::invalid_input,
                "certificates cannot be read: " + ca_file + ": " + ec.message());
  context.set_verify_mode(asio::ssl::verify_peer, ec);
  return made;
}

struct connection::state {
  explicit state(asio::io_context& loop) : socket(loop) {}

  tcp::socket socket;
  std::optional<tls_stream> tls; ///< above the socket
  bool closed = false;           ///< by us
};

connection::connection(asio::io_context& loop)
    : state_(std::make_unique<state>(loop)) {}
connection::~connection() {
  close();
}

void connection::close() noexcept {
  state_->closed = true;
  auto ignored = error_code{};
  state_->socket.close(ignored);
}

auto connection::connect(std::span<const endpoint> to,
                         std::chrono::steady_clock::time_point until)
    -> awaitable<outcome> {
  auto& s = *state_;
  auto last = provider_fault{fault_kind::unreachable, "no address"};
  for (; !to.empty(); to = to.subspan(1)) {
    const auto now = std::chrono::steady_clock::now();
    auto limit = std::optional<try_limit>{};
    if (to.size() > 1) // the last one's is the caller's
      limit.emplace(s.socket, now + (until - now) / static_cast<int>(to.size()));
    auto [ec] = co_await s.socket.async_connect(to.front(), as_values);
    limit.reset();
    if (!ec) {
      // A request is one write, an answer many small reads: nothing gains from waiting.
      s.socket.set_option(tcp::no_delay{true}, ec);
      co_return std::nullopt;
    }
    if (s.closed)
      break;
    if (ec == asio::error::operation_aborted) // by the limit
      ec = asio::error::timed_out;
    last = fault_of(fault_kind::unreachable, ec);
    s.socket.close(ec);
  }
  co_return last;
}

auto connection::tunnel(const provider_url& to) -> awaitable<outcome> {
  const auto where = to.host_and_port();
  const auto asked = "CONNECT " + where + " HTTP/1.1\r\nHost: " + where + "\r\n\r\n";
  if (const auto sent = co_await write(asked); !sent)
    co_return provider_fault{fault_kind::proxy_failed, sent.error()};
  // The tunnel's first bytes follow the empty line: byte by byte nothing of them is
  // taken. A proxy that says yes says little more.
  auto answer = http_answer{[](std::string_view) {}};
  while (!answer.has_header()) {
    auto byte = char{};
    const auto got = co_await read(asio::buffer(&byte, 1));
    if (!got || *got == 0)
      co_return provider_fault{fault_kind::proxy_failed,
                               got ? "the proxy hung up" : got.error()};
    if (const auto fed = answer.feed({&byte, 1}); !fed)
      co_return provider_fault{fault_kind::proxy_failed, fed.error().what};
  }
  if (answer.status() / 100 != 2)
    co_return provider_fault{fault_kind::proxy_failed,
                             "the proxy answered " + std::to_string(answer.status())};
  co_return std::nullopt;
}

auto connection::secure(tls_trust& trust, const std::string& host)
    -> awaitable<outcome> {
  auto& s = *state_;
  s.tls.emplace(s.socket, trust.inside().context);
  auto ec = error_code{};
  asio::ip::make_address(host, ec);
  const auto is_name = static_cast<bool>(ec);
  // The call's macro casts away const; OpenSSL copies the name.
  if (is_name &&
      SSL_ctrl(s.tls->native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME,
               TLSEXT_NAMETYPE_host_name, const_cast<char*>(host.c_str())) != 1)
    co_return provider_fault{fault_kind::tls_failed, "the host's name cannot be sent"};
  s.tls->set_verify_callback(asio::ssl::host_name_verification{host}, ec);
  auto [failed] =
      co_await s.tls->async_handshake(asio::ssl::stream_base::client, as_values);
  if (!failed)
    co_return std::nullopt;
  const auto from_tls = failed.category() == asio::error::get_ssl_category();
  co_return fault_of(from_tls ? fault_kind::tls_failed : fault_kind::unreachable,
                     failed);
}

auto connection::read(asio::mutable_buffer into)
    -> awaitable<std::expected<std::size_t, std::string>> {
  auto& s = *state_;
  auto ec = error_code{};
  auto size = std::size_t{0};
  if (s.tls)
    std::tie(ec, size) = co_await s.tls->async_read_some(into, as_values);
  else
    std::tie(ec, size) = co_await s.socket.async_read_some(into, as_values);
  // Many servers end TLS without saying so; whether the answer is whole is seen in it.
  if (ec == asio::error::eof || ec == asio::ssl::error::stream_truncated)
    co_return 0;
  if (ec)
    co_return std::unexpected{ec.message()};
  co_return size;
}

auto connection::write(std::string_view what)
    -> awaitable<std::expected<void, std::string>> {
  auto& s = *state_;
  auto ec = error_code{};
  auto size = std::size_t{0};
  if (s.tls)
    std::tie(ec, size) =
        co_await asio::async_write(*s.tls, asio::buffer(what), as_values);
  else
    std::tie(ec, size) =
        co_await asio::async_write(s.socket, asio::buffer(what), as_values);
  if (ec)
    co_return std::unexpected{ec.message()};
  co_return std::expected<void, std::string>{};
}

bool connection::is_quiet() noexcept {
  if (!state_->socket.is_open())
    return false;
  if (state_->tls && has_unread(state_->tls->native_handle()))
    return false;
  auto byte = char{};
  const auto got =
      ::recv(state_->socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

} // namespace jessica::engines
