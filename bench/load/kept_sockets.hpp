// Many kept-alive connections to one server on one epoll loop, run by the calling
// thread. What goes over them is the business of the fleets.
#pragma once

#include "bench/load/descriptor.hpp"
#include "domain/error.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::bench {

/// Clients are numbered from 0.
class kept_sockets {
public:
  /// Connects to 127.0.0.1. Fails: unavailable.
  [[nodiscard]] result<void> open(std::uint16_t port, std::size_t clients);

  /// A request that fits into any socket. Fails: unavailable.
  [[nodiscard]] result<void> send(std::size_t client, std::string_view request);

  /// Appends what has come. Fails: unavailable (the server closed, too).
  [[nodiscard]] result<void> receive(std::size_t client, std::string& to);

  /// To whom something has come, waiting so long for it; valid until the next call.
  [[nodiscard]] std::span<const std::size_t> heard(std::chrono::nanoseconds wait);

private:
  descriptor epoll_;
  std::vector<descriptor> sockets_;
  std::vector<std::size_t> heard_;
};

} // namespace jessica::bench
