// One reactor's door: accepts connections and starts HTTP on them.
#pragma once

#include "domain/error.hpp"
#include "net/reactor.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>

namespace jessica::net {

/// Reactor thread only, but for the constructor. Must live as long as its reactor.
class listener {
public:
  /// Binds; several listeners may share one port of this process. Fails: conflict
  /// (taken), invalid_input (not an address of this machine), unavailable.
  [[nodiscard]] static result<std::unique_ptr<listener>>
  open(reactor& home, const boost::asio::ip::tcp::endpoint& where);
  explicit listener(reactor& home);

  [[nodiscard]] boost::asio::ip::tcp::endpoint where() const;
  /// Begins to accept.
  void start() { accept(); }
  void close() noexcept;

private:
  void accept();
  void welcome(tcp_socket socket);
  void refuse(tcp_socket socket);
  void pause(const boost::system::error_code& why);
  void report(std::string_view reason);

  reactor& home_;
  boost::asio::basic_socket_acceptor<boost::asio::ip::tcp,
                                     boost::asio::io_context::executor_type>
      acceptor_;
  boost::asio::steady_timer pause_;
  reactor::clock::time_point reported_{};
};

/// Fails with conflict when another process (or server) listens at this address: ports
/// that are shared on purpose would otherwise be shared by accident, too.
[[nodiscard]] result<void> check_free(const boost::asio::ip::tcp::endpoint& where);

} // namespace jessica::net
