// The layer under Beast's WebSocket stream: reading passes through, all writing goes
// through one ordered queue of whole frames, so that Beast's control frames and our
// shared data frames never interleave.
#pragma once

#include "wire/ws_frame.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace jessica::net {

/// A connection; its executor is known at compile time, which saves memory and calls.
using tcp_socket =
    boost::asio::basic_stream_socket<boost::asio::ip::tcp,
                                     boost::asio::io_context::executor_type>;

/// What left through WebSockets since it was last read; of one reactor.
struct ws_traffic {
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;
};

/// Told what becomes of the queue; on the reactor.
class stream_owner {
public:
  virtual void
  frames_left(std::size_t bytes) noexcept = 0; ///< data given to the socket
  virtual void close_begun() noexcept = 0;     ///< a close frame of ours was queued

protected:
  ~stream_owner() = default;
};

/// One reactor's thread only.
class frame_stream {
public:
  using executor_type = tcp_socket::executor_type;
  using error_code = boost::system::error_code;
  using written = boost::asio::any_completion_handler<void(error_code, std::size_t)>;
  using torn_down = boost::asio::any_completion_handler<void(error_code)>;

  frame_stream(tcp_socket socket, ws_traffic& traffic);
  frame_stream(frame_stream&&) noexcept = default;
  frame_stream& operator=(frame_stream&&) noexcept = default;
  ~frame_stream(); ///< close()

  [[nodiscard]] executor_type get_executor() const {
    return state_->socket.get_executor();
  }
  /// Null: nobody is told any more.
  void set_owner(stream_owner* owner) noexcept { state_->owner = owner; }

  /// Queues a data frame; dropped after a close frame of ours.
  void push(wire::frame what);
  /// Queues a close frame, the last thing that is ever sent, and sends.
  void push_close(std::uint16_t code);
  /// Sends what is queued as far as the socket takes it; the rest follows by itself.
  void flush();
  /// Forgets all that is queued but the rest of a frame whose head is sent already.
  void drop_waiting() noexcept;
  /// Closes the socket; whatever is under way ends with operation_aborted. Idempotent.
  void close() noexcept;
  /// Ends our direction and reads until the client ends its own, lest a reset takes our
  /// last frame from it. Who calls limits the time with close().
  void tear_down(torn_down then);

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& into, Token&& token) {
    return state_->socket.async_read_some(into, std::forward<Token>(token));
  }

  /// Takes a handshake response or a whole control frame; completes when it has left.
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& what, Token&& token) {
    return boost::asio::async_initiate<Token, void(error_code, std::size_t)>(
        [](auto handler, state* self, std::string bytes) {
          self->write(std::move(bytes), std::move(handler));
        },
        token, state_.get(), copy(what));
  }

private:
  /// Outlives the stream while the socket is waited for.
  struct state {
    state(tcp_socket s, ws_traffic& t) : socket(std::move(s)), traffic(t) {}

    void write(std::string bytes, written then);
    void flush();
    bool send_some();
    ssize_t send_one();
    ssize_t send_several();
    void consume(std::size_t bytes);
    void tidy();
    void wait();
    void end_write(error_code why);
    void fail(error_code why) noexcept;
    void discard(torn_down then);
    [[nodiscard]] std::size_t waiting() const noexcept { return queue.size() - head; }

    tcp_socket socket;
    ws_traffic& traffic;
    stream_owner* owner = nullptr;
    std::weak_ptr<state> self;
    std::vector<wire::frame> queue;
    std::size_t head = 0;     ///< first frame of the queue that has not left
    std::size_t offset = 0;   ///< bytes of it that have
    written on_written;       ///< of the one write that may be under way
    std::size_t write_at = 0; ///< its place in the queue
    std::size_t write_bytes = 0;
    bool armed = false;  ///< waits for room in the socket
    bool ending = false; ///< a close frame is queued or sent
  };

  template <class Buffers> static std::string copy(const Buffers& what) {
    auto bytes = std::string(boost::asio::buffer_size(what), '\0');
    boost::asio::buffer_copy(boost::asio::buffer(bytes), what);
    return bytes;
  }

  std::shared_ptr<state> state_;
};

} // namespace jessica::net
