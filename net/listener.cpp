#include "net/listener.hpp"

#include "net/http_session.hpp"
#include "ops/log.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/write.hpp>
#include <sys/socket.h>

#include <format>
#include <sstream>

namespace jessica::net {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using boost::system::error_code;

namespace {

/// Descriptors run out for a moment: do not spin.
constexpr auto pause_time = std::chrono::milliseconds{50};
constexpr auto report_every = std::chrono::seconds{1};
constexpr auto full_response =
    std::string_view{"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n"
                     "Access-Control-Allow-Origin: *\r\nContent-Length: 0\r\n"
                     "Connection: close\r\n\r\n"};
using share_port = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

std::unexpected<error> cannot_bind(const tcp::endpoint& where, const error_code& why) {
  auto name = std::ostringstream{};
  name << where;
  if (why == asio::error::address_in_use)
    return fail(errc::conflict,
                name.str() + " is taken by another program, or Jessica runs there "
                             "already: end that one, or choose another net.port "
                             "(--net-port)");
  if (why == asio::error::access_denied)
    return fail(errc::invalid_input,
                std::format("cannot listen at {}: {}; ports below 1024 are root's: "
                            "choose another net.port (--net-port)",
                            name.str(), why.message()));
  if (why == error_code{EADDRNOTAVAIL, boost::system::system_category()})
    return fail(errc::invalid_input,
                std::format("cannot listen at {}: net.host (--net-host) is no address "
                            "of this machine",
                            name.str()));
  return fail(errc::unavailable,
              std::format("cannot listen at {}: {}", name.str(), why.message()));
}

template <class Acceptor>
error_code bind(Acceptor& acceptor, const tcp::endpoint& where, bool share) {
  auto ec = error_code{};
  if (acceptor.open(where.protocol(), ec))
    return ec;
  if (acceptor.set_option(asio::socket_base::reuse_address{true}, ec))
    return ec;
  if (share && acceptor.set_option(share_port{true}, ec))
    return ec;
  return acceptor.bind(where, ec);
}

} // namespace

result<void> check_free(const tcp::endpoint& where) {
  auto context = asio::io_context{1};
  auto probe = tcp::acceptor{context};
  const auto ec = bind(probe, where, false);
  return ec ? cannot_bind(where, ec) : result<void>{};
}

listener::listener(reactor& home)
    : home_(home), acceptor_(home.context()), pause_(home.context()) {}

result<std::unique_ptr<listener>> listener::open(reactor& home,
                                                 const tcp::endpoint& where) {
  auto made = std::make_unique<listener>(home);
  auto ec = bind(made->acceptor_, where, true);
  if (!ec)
    made->acceptor_.listen(asio::socket_base::max_listen_connections, ec);
  if (ec)
    return cannot_bind(where, ec);
  return made;
}

tcp::endpoint listener::where() const {
  return acceptor_.local_endpoint();
}

void listener::close() noexcept {
  auto ignored = error_code{};
  acceptor_.close(ignored);
  pause_.cancel();
}

void listener::accept() {
  acceptor_.async_accept([this](const error_code& ec, tcp_socket socket) {
    if (!acceptor_.is_open())
      return;
    if (ec)
      return pause(ec);
    welcome(std::move(socket));
    accept();
  });
}

void listener::welcome(tcp_socket socket) {
  auto ignored = error_code{};
  socket.set_option(tcp::no_delay{true}, ignored);
  if (home_.count().take())
    serve_http(home_, std::move(socket), connection_permit{home_.count()});
  else
    refuse(std::move(socket));
}

void listener::refuse(tcp_socket socket) {
  auto ignored = error_code{};
  socket.non_blocking(true, ignored);
  socket.send(asio::buffer(full_response), 0, ignored);
  report("max_connections");
}

void listener::pause(const error_code& why) {
  report(why.message());
  pause_.expires_after(pause_time);
  pause_.async_wait([this](const error_code& ec) {
    if (!ec && acceptor_.is_open())
      accept();
  });
}

void listener::report(std::string_view reason) {
  const auto now = reactor::clock::now();
  if (now - reported_ < report_every)
    return;
  reported_ = now;
  ops::warn("connection.refused", {{"reason", reason}});
}

} // namespace jessica::net
