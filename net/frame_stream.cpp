#include "net/frame_stream.hpp"

#include <boost/asio/buffer.hpp>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

namespace jessica::net {

namespace {

constexpr auto frames_per_call = std::size_t{64};
constexpr auto kept_places =
    std::size_t{16};                ///< a longer queue is given back when empty
constexpr auto close_head = '\x88'; ///< final frame, opcode 8
constexpr auto pong_head = '\x8a';

[[nodiscard]] bool is_control(std::string_view frame) noexcept {
  return (static_cast<unsigned char>(frame.front()) & 0x08U) != 0;
}

} // namespace

frame_stream::frame_stream(tcp_socket socket, ws_traffic& traffic)
    : state_(std::make_shared<state>(std::move(socket), traffic)) {
  state_->self = state_;
}

frame_stream::~frame_stream() {
  if (state_)
    close();
}

void frame_stream::push(wire::frame what) {
  if (!state_->ending)
    state_->queue.push_back(std::move(what));
}

void frame_stream::push_pong(std::string_view payload) {
  auto& s = *state_;
  if (s.ending)
    return;
  auto bytes = std::string{pong_head, static_cast<char>(payload.size())};
  auto pong = std::make_shared<const std::string>(bytes.append(payload));
  const auto waits =
      s.pong_at != state::no_pong && (s.pong_at > s.head || s.offset == 0);
  if (waits) {
    s.queue[s.pong_at] = std::move(pong);
    return;
  }
  s.pong_at = s.queue.size();
  s.queue.push_back(std::move(pong));
}

void frame_stream::push_ping() {
  static const auto ping = std::make_shared<const std::string>("\x89\0", 2);
  push(ping);
}

void frame_stream::push_close(std::uint16_t code) {
  if (std::exchange(state_->ending, true))
    return;
  const auto bytes = std::array{close_head, '\x02', static_cast<char>(code >> 8),
                                static_cast<char>(code & 0xff)};
  state_->queue.push_back(
      std::make_shared<const std::string>(bytes.data(), bytes.size()));
  if (state_->owner)
    state_->owner->close_begun();
  flush();
}

void frame_stream::flush() {
  state_->flush();
}

void frame_stream::drop_waiting() noexcept {
  auto& s = *state_;
  const auto keep = s.head + (s.offset > 0 ? 1 : 0);
  s.queue.resize(std::min(keep, s.queue.size()));
  s.pong_at = state::no_pong;
}

void frame_stream::close() noexcept {
  state_->fail();
}

void frame_stream::tear_down(std::function<void()> then) {
  state_->last = true;
  state_->shut_when_empty();
  state_->discard(std::move(then));
}

void frame_stream::state::flush() {
  if (armed)
    return;
  while (waiting() > 0)
    if (!send_some())
      return;
  if (last)
    shut_when_empty();
}

/// False when the socket takes no more.
bool frame_stream::state::send_some() {
  const auto sent = waiting() == 1 ? send_one() : send_several();
  if (sent >= 0) {
    consume(static_cast<std::size_t>(sent));
    return true;
  }
  if (errno == EINTR)
    return true;
  if (errno == EAGAIN || errno == EWOULDBLOCK)
    wait();
  else
    fail();
  return false;
}

ssize_t frame_stream::state::send_one() {
  const auto& bytes = *queue[head];
  return ::send(socket.native_handle(), bytes.data() + offset, bytes.size() - offset,
                MSG_NOSIGNAL | MSG_DONTWAIT);
}

ssize_t frame_stream::state::send_several() {
  auto parts = std::array<iovec, frames_per_call>{};
  const auto count = std::min(waiting(), parts.size());
  for (auto i = std::size_t{0}; i < count; ++i) {
    const auto& bytes = *queue[head + i];
    const auto skip = i == 0 ? offset : 0;
    parts[i] = {const_cast<char*>(bytes.data()) + skip, bytes.size() - skip};
  }
  auto message = msghdr{};
  message.msg_iov = parts.data();
  message.msg_iovlen = count;
  return ::sendmsg(socket.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void frame_stream::state::consume(std::size_t bytes) {
  auto data_bytes = std::size_t{0};
  for (offset += bytes; waiting() > 0 && offset >= queue[head]->size(); ++head) {
    const auto size = queue[head]->size();
    offset -= size;
    if (!is_control(*queue[head])) {
      data_bytes += size;
      ++traffic.frames;
    }
    queue[head] = nullptr;
    if (head == pong_at)
      pong_at = no_pong;
  }
  traffic.bytes += bytes;
  tidy();
  if (data_bytes > 0 && owner)
    owner->frames_left(data_bytes);
}

/// Frames that have left take no room for long, whether the queue gets empty or not.
void frame_stream::state::tidy() {
  if (waiting() == 0) {
    queue.clear();
    if (queue.capacity() > kept_places)
      queue.shrink_to_fit();
  } else if (head >= frames_per_call && head >= waiting()) {
    queue.erase(queue.begin(), queue.begin() + static_cast<std::ptrdiff_t>(head));
    if (pong_at != no_pong)
      pong_at -= head;
  } else {
    return;
  }
  head = 0;
}

void frame_stream::state::wait() {
  armed = true;
  socket.async_wait(tcp_socket::wait_write, [me = self.lock()](error_code ec) {
    me->armed = false;
    if (!ec)
      me->flush();
  });
}

void frame_stream::state::shut_when_empty() {
  auto ignored = error_code{};
  if (waiting() == 0)
    socket.shutdown(tcp_socket::shutdown_send, ignored);
}

void frame_stream::state::fail() noexcept {
  auto ignored = error_code{};
  socket.close(ignored);
  ending = true;
  queue.clear();
  head = offset = 0;
  pong_at = no_pong;
}

void frame_stream::state::discard(std::function<void()> then) {
  static thread_local auto garbage = std::array<char, 4096>{};
  socket.async_read_some(
      boost::asio::buffer(garbage),
      [me = self.lock(), then = std::move(then)](error_code ec, std::size_t) mutable {
        if (!ec)
          me->discard(std::move(then));
        else
          then();
      });
}

} // namespace jessica::net
