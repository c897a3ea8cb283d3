// Thousands of WebSockets on one epoll loop, run by the calling thread.
#pragma once

#include "bench/load/descriptor.hpp"
#include "bench/load/ws_client.hpp"

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

namespace jessica::bench {

/// Clients are numbered from 0 as they are opened. A connection that is lost fails the
/// whole fleet: a bench never measures fewer clients than it says.
class fleet {
public:
  using seconds = std::chrono::seconds;

  explicit fleet(ws_client::listener& to);
  fleet(fleet&&) = delete;

  /// Opens so many more clients, a bounded number at a time. Fails: unavailable,
  /// timeout.
  [[nodiscard]] result<void> open(const ws_address& to, std::size_t clients,
                                  seconds limit);

  /// Begins to open one more and does not wait: the listener hears when it is open.
  /// Fails: unavailable.
  [[nodiscard]] result<void> begin_one(const ws_address& to);

  /// Allowed inside the listener. A failure is reported by the next run().
  void send(std::size_t client, opcode kind, std::string_view payload);

  /// How long a turn without frames may last, where `done` depends on the clock.
  void turn_at_least_every(std::chrono::nanoseconds time) { longest_turn_ = time; }

  /// Serves the sockets until `done`, which is asked after each turn. Fails: timeout,
  /// or what a connection failed with.
  [[nodiscard]] result<void> run(const std::function<bool()>& done, seconds limit);

  [[nodiscard]] std::size_t size() const noexcept { return clients_.size(); }

private:
  void turn(std::chrono::nanoseconds wait);
  void lose(std::size_t client, const error& why);

  ws_client::listener& to_;
  descriptor epoll_;
  std::deque<ws_client> clients_; ///< stay where they are
  std::size_t opened_ = 0;
  std::vector<char> space_;
  std::chrono::nanoseconds longest_turn_ = std::chrono::milliseconds{5};
  std::optional<error> failure_;
};

} // namespace jessica::bench
