// Reads one HTTP/1.1 answer from bytes that come in pieces. No sockets; Beast's parser
// stays in the source.
#pragma once

#include "domain/error.hpp"

#include <functional>
#include <memory>
#include <string_view>

namespace jessica::engines {

class http_answer {
public:
  using body_sink = std::function<void(std::string_view)>;

  /// `to`: called with the body as it comes, without its chunk marks.
  explicit http_answer(body_sink to);
  ~http_answer();

  /// Fails: invalid_input (not HTTP, or a header of more than 32 KiB). What follows the
  /// answer's end is not looked at, but ends keep_alive().
  [[nodiscard]] result<void> feed(std::string_view bytes);
  /// The peer closed. Fails: invalid_input, unless the answer is whole or ends so.
  [[nodiscard]] result<void> end();

  [[nodiscard]] bool has_header() const noexcept;
  [[nodiscard]] bool whole() const noexcept;
  /// Once whole(): the connection may carry another request.
  [[nodiscard]] bool keep_alive() const noexcept;
  /// Once has_header().
  [[nodiscard]] unsigned status() const noexcept;
  [[nodiscard]] std::string_view field(std::string_view name) const;

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace jessica::engines
