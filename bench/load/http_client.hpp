// Blocking HTTP requests on one kept-alive connection: what sets a scenario up.
#pragma once

#include "bench/load/descriptor.hpp"
#include "domain/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace jessica::bench {

struct http_answer {
  int status = 0;
  std::string body;
};

/// One thread. Understands answers with Content-Length, nothing else.
class http_client {
public:
  /// Connects to 127.0.0.1. Fails: unavailable.
  [[nodiscard]] static result<http_client> connect(std::uint16_t port);

  /// POST of a JSON body. `headers`: lines that end in CR LF. Fails: unavailable,
  /// timeout (after 15 s), invalid_input (an answer that is not understood).
  [[nodiscard]] result<http_answer>
  post(std::string_view path, std::string_view headers, std::string_view body);

private:
  explicit http_client(descriptor socket) : socket_(std::move(socket)) {}
  [[nodiscard]] result<void> send(std::string_view request);
  [[nodiscard]] result<void> read_more();
  [[nodiscard]] result<http_answer> read_answer();

  descriptor socket_;
  std::string received_; ///< not used yet
};

} // namespace jessica::bench
