// Many kept-alive HTTP connections on one epoll loop, each with one request under way:
// the next is sent when the answer is there.
#pragma once

#include "bench/load/kept_sockets.hpp"
#include "domain/error.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace jessica::bench {

/// The first whole answer in `bytes`; size 0: it is not all there.
struct http_piece {
  std::size_t size = 0;
  int status = 0; ///< 0: not understood
  std::string_view body;
};
[[nodiscard]] http_piece read_http(std::string_view bytes);

class http_fleet {
public:
  using clock = std::chrono::steady_clock;

  class talk {
  public:
    virtual ~talk() = default;
    /// A whole request.
    virtual std::string next(std::size_t client) = 0;
    virtual void answered(std::size_t client, int status, std::string_view body,
                          clock::duration after) = 0;
  };

  explicit http_fleet(talk& what) : talk_(what) {}

  /// Connects to 127.0.0.1. Fails: unavailable.
  [[nodiscard]] result<void> open(std::uint16_t port, std::size_t clients);
  /// Talks so long, then waits for the last answers. Fails: unavailable (a connection
  /// was lost), timeout.
  [[nodiscard]] result<void> run(clock::duration length);

private:
  struct client {
    std::string received;
    clock::time_point sent;
    bool waiting = false;
  };

  [[nodiscard]] result<void> send(std::size_t number);
  [[nodiscard]] result<void> receive(std::size_t number, clock::time_point end);

  talk& talk_;
  kept_sockets sockets_;
  std::vector<client> clients_;
  std::size_t waiting_ = 0;
};

} // namespace jessica::bench
