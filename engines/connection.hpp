// One connection to a provider: TCP, maybe through a proxy, maybe TLS. Belongs to the
// engine's loop; Asio's TLS stays in the source.
#pragma once

#include "engines/fault.hpp"
#include "engines/provider_url.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace jessica::engines {

/// Whom TLS trusts; shared by a provider's connections.
class tls_trust {
public:
  /// `ca_file` empty: the system's certificates. Fails: invalid_input.
  [[nodiscard]] static result<std::shared_ptr<tls_trust>>
  open(const std::string& ca_file);
  tls_trust();
  ~tls_trust();

  struct state;
  [[nodiscard]] state& inside() noexcept { return *state_; }

private:
  std::unique_ptr<state> state_;
};

class connection {
public:
  using endpoint = boost::asio::ip::tcp::endpoint;
  template <class T> using awaitable = boost::asio::awaitable<T>;
  /// Empty: it worked.
  using outcome = std::optional<provider_fault>;

  explicit connection(boost::asio::io_context& loop);
  ~connection(); ///< close()
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  /// Tries the addresses in turn until one takes the connection. Each has what is left
  /// of the time divided by how many are left; the caller ends the last one's.
  [[nodiscard]] awaitable<outcome> connect(std::span<const endpoint> to,
                                           std::chrono::steady_clock::time_point until);
  /// Has a proxy connect us to `to`.
  [[nodiscard]] awaitable<outcome> tunnel(const provider_url& to);
  /// From here on it is TLS, and the peer has shown to be `host`.
  [[nodiscard]] awaitable<outcome> secure(tls_trust& trust, const std::string& host);

  /// Something of what came; 0: the peer ended. Unexpected: it broke, and how.
  [[nodiscard]] awaitable<std::expected<std::size_t, std::string>>
  read(boost::asio::mutable_buffer into);
  /// All of it. Unexpected: it broke.
  [[nodiscard]] awaitable<std::expected<void, std::string>>
  write(std::string_view what);

  /// Ends at once, without goodbyes; what waits on it ends too.
  void close() noexcept;
  /// An idle one: open, and the peer has sent neither bytes nor its end.
  [[nodiscard]] bool is_quiet() noexcept;

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace jessica::engines
