// A WebSocket's socket: all writing goes through one ordered queue of whole frames, so
// that control frames and shared data frames never interleave.
#pragma once

#include "wire/ws_frame.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
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
  using error_code = boost::system::error_code;

  frame_stream(tcp_socket socket, ws_traffic& traffic);
  frame_stream(frame_stream&&) noexcept = default;
  frame_stream& operator=(frame_stream&&) noexcept = default;
  ~frame_stream(); ///< close()

  /// To read from, and for the handshake.
  [[nodiscard]] tcp_socket& socket() noexcept { return state_->socket; }
  /// Null: nobody is told any more.
  void set_owner(stream_owner* owner) noexcept { state_->owner = owner; }

  /// Queues a data frame; dropped after a close frame of ours.
  void push(wire::frame what);
  /// Queues a pong. One that still waits to leave is replaced: the last ping's answer
  /// is enough (RFC 6455, section 5.5.3), and no client makes the queue grow.
  void push_pong(std::string_view payload);
  /// Queues an empty ping.
  void push_ping();
  /// Queues a close frame, the last thing that is ever sent, and sends.
  void push_close(std::uint16_t code);
  /// Sends what is queued as far as the socket takes it; the rest follows by itself.
  void flush();
  /// Forgets all that is queued but the rest of a frame whose head is sent already.
  void drop_waiting() noexcept;
  /// Closes the socket; whatever is under way ends with operation_aborted. Idempotent.
  void close() noexcept;
  /// Ends our direction when what is queued has left, and reads until the client ends
  /// its own, lest a reset takes our last frame from it; `then` comes once. Who calls
  /// limits the time with close().
  void tear_down(std::function<void()> then);

private:
  /// Outlives the stream while the socket is waited for.
  struct state {
    static constexpr auto no_pong = static_cast<std::size_t>(-1);

    state(tcp_socket s, ws_traffic& t) : socket(std::move(s)), traffic(t) {}

    void flush();
    bool send_some();
    ssize_t send_one();
    ssize_t send_several();
    void consume(std::size_t bytes);
    void tidy();
    void wait();
    void shut_when_empty();
    void fail() noexcept;
    void discard(std::function<void()> then);
    [[nodiscard]] std::size_t waiting() const noexcept { return queue.size() - head; }

    tcp_socket socket;
    ws_traffic& traffic;
    stream_owner* owner = nullptr;
    std::weak_ptr<state> self;
    std::vector<wire::frame> queue;
    std::size_t head = 0;          ///< first frame of the queue that has not left
    std::size_t offset = 0;        ///< bytes of it that have
    std::size_t pong_at = no_pong; ///< place in the queue of the pong that waits
    bool armed = false;            ///< waits for room in the socket
    bool ending = false;           ///< a close frame is queued or sent
    bool last = false;             ///< our direction ends when the queue is empty
  };

  std::shared_ptr<state> state_;
};

} // namespace jessica::net
