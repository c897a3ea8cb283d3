// What ends the waits of one attempt from outside: its user's stop, or a limit that
// passed. Lives on the engine's loop, like all that waits.
#pragma once

#include "engines/connection.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

namespace jessica::engines {

enum class cut_reason : std::uint8_t {
  stopped, ///< whoever asked wants no more
  late     ///< the limit passed
};

/// A wait is ended by closing the connection or ringing the bell, whichever it waits
/// for. After each wait `why()` must be asked.
class interruption {
public:
  using clock = std::chrono::steady_clock;

  explicit interruption(boost::asio::io_context& loop);
  ~interruption();
  interruption(const interruption&) = delete;
  interruption& operator=(const interruption&) = delete;

  /// The first reason stays.
  void cut(cut_reason why) noexcept;
  [[nodiscard]] const std::optional<cut_reason>& why() const noexcept { return why_; }

  /// From now on the limit is this. Cheap: one timer wakes as often as limits pass.
  void set_limit(clock::time_point at);
  void clear_limit() noexcept;
  /// A limit that passed has been dealt with; a stop stays.
  void forgive_lateness() noexcept;

  /// The connection that is waited on; null: none.
  void watch(connection* what) noexcept { open_ = what; }
  /// Waiting for anything else is waiting for this; cancelled means: look again.
  [[nodiscard]] boost::asio::steady_timer& bell() noexcept { return bell_; }

private:
  struct timer;

  std::optional<cut_reason> why_;
  connection* open_ = nullptr;
  boost::asio::steady_timer bell_;
  std::shared_ptr<timer> timer_;
};

} // namespace jessica::engines
