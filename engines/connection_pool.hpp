// Connections that may carry another request: a bounded number, for a while.
#pragma once

#include "engines/connection.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>

namespace jessica::engines {

/// One provider's. On the engine's loop.
class connection_pool {
public:
  using clock = std::chrono::steady_clock;

  connection_pool(boost::asio::io_context& loop, std::size_t most,
                  clock::duration keep);
  ~connection_pool();

  /// The one used last that is still open; null: none.
  [[nodiscard]] std::unique_ptr<connection> take();
  /// Beyond the bound the oldest is closed.
  void give(std::unique_ptr<connection> what);
  void close_all();
  [[nodiscard]] std::size_t size() const noexcept;

private:
  struct state;
  std::shared_ptr<state> state_;
};

} // namespace jessica::engines
