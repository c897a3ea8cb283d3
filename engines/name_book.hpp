// Addresses of hosts: asked once for all who wait for them, remembered for a while.
#pragma once

#include "engines/connection.hpp"
#include "engines/interruption.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace jessica::engines {

/// On the engine's loop. The system's own lookup blocks and cannot be ended: it has a
/// thread of its own, one a name at most, which nobody waits for. Who waits here can be
/// ended, and so can the book and its loop.
class name_book {
public:
  using addresses = std::expected<std::vector<connection::endpoint>, std::string>;
  /// Blocks; on any thread, also after the book is gone.
  using lookup =
      std::function<addresses(const std::string& host, const std::string& port)>;

  /// Asks the system.
  explicit name_book(boost::asio::io_context& loop);
  name_book(boost::asio::io_context& loop, lookup asks);
  ~name_book();
  name_book(const name_book&) = delete;
  name_book& operator=(const name_book&) = delete;

  /// Numbers are answered without asking. Unexpected: name_unknown; when `by` was cut,
  /// anything.
  [[nodiscard]] boost::asio::awaitable<
      std::expected<std::vector<connection::endpoint>, provider_fault>>
  find(const std::string& host, const std::string& port, interruption& by);

private:
  struct state;
  std::shared_ptr<state> state_;
};

} // namespace jessica::engines
