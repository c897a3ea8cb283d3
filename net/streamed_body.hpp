// The body of a response that is sent while it is made: by a route or by any other
// thread into a body_writer, from there by the connection to its client. What is
// written while the client's socket is busy goes out in one piece.
#pragma once

#include "net/bell.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace jessica::net {

/// The end that makers write to. Any thread, also after the other end is gone.
class body_writer {
public:
  /// `most_waiting`: bytes that the client may not have taken yet.
  body_writer(std::shared_ptr<bell_rope> reader, std::size_t most_waiting)
      : reader_(std::move(reader)), most_waiting_(most_waiting) {}

  /// False: nobody wants the rest. The client has gone, or is so far behind that its
  /// connection ends now.
  bool write(std::string_view more);
  /// The body is whole.
  void end();
  /// It will never be: the client sees that by its connection, which breaks off.
  void abort();

private:
  friend class streamed_body;
  enum class state : std::uint8_t { open, whole, broken };

  std::shared_ptr<bell_rope> reader_;
  std::size_t most_waiting_;
  std::mutex lock_;
  std::string waiting_;
  state state_ = state::open;
};

/// The connection's end: lives on one reactor, is sent by one connection.
class streamed_body {
public:
  streamed_body(const boost::asio::any_io_executor& reactor, std::size_t most_waiting);
  ~streamed_body(); ///< leave()
  streamed_body(const streamed_body&) = delete;
  streamed_body& operator=(const streamed_body&) = delete;

  [[nodiscard]] const std::shared_ptr<body_writer>& writer() const noexcept {
    return writer_;
  }

  /// What makes the body: ends on the reactor when the client is gone or has it all.
  std::shared_ptr<void> source;
  /// The server stops soon: called on the reactor, once, to say a last word and end().
  /// Empty: the connection just ends when time is up.
  std::function<void()> stop;

  // For the connection:

  struct part {
    std::string bytes;
    bool last = false;
  };
  /// What was written since the last part; waits until there is something. nullopt: the
  /// body broke off.
  [[nodiscard]] boost::asio::awaitable<std::optional<part>> next();
  /// `then` is called when the body breaks off, also while nobody waits for a part.
  void on_broken(std::function<void()> then) { broken_ = std::move(then); }
  /// The client wants no more: the source ends now, and who waits for a part hears that
  /// the body broke off. Idempotent.
  void leave();

private:
  [[nodiscard]] bool is_broken() const;
  void heard();

  bell bell_;
  std::shared_ptr<body_writer> writer_;
  std::function<void()> broken_;
};

} // namespace jessica::net
