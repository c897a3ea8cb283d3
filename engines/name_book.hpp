// Addresses of hosts: asked once for all who wait for them, remembered for a while.
#pragma once

#include "engines/connection.hpp"
#include "engines/interruption.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <expected>
#include <memory>
#include <string>
#include <vector>

namespace jessica::engines {

/// On the engine's loop. The system's own lookup blocks a thread of Asio's and cannot
/// be ended; who waits here can be.
class name_book {
public:
  explicit name_book(boost::asio::io_context& loop);
  ~name_book();

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
