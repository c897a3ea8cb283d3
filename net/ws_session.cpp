#include "net/ws_session.hpp"

#include "actors/room_messages.hpp"
#include "ops/log.hpp"
#include "ops/metrics.hpp"
#include "wire/ws_reader.hpp"

#include <boost/asio/bind_allocator.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

namespace jessica::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using boost::system::error_code;

namespace {

/// For a close handshake, whoever began it.
constexpr auto close_time = std::chrono::milliseconds{2000};

using clock = std::chrono::steady_clock;

http::request<http::empty_body> handshake(const http_request& from) {
  auto out = http::request<http::empty_body>{};
  out.method(http::verb::get);
  out.target(from.path);
  for (const auto& name :
       {"host", "upgrade", "connection", "sec-websocket-key", "sec-websocket-version"})
    if (from.has(name))
      out.set(name, from.header(name));
  return out;
}

/// Answers the handshake; what comes after it is ours.
using handshaker = websocket::stream<tcp_socket&, false>;

/// Kept alive by its pending operations, each of which holds a pointer to it.
class ws_session final : public connection, frame_sink, stream_owner {
public:
  using pointer = std::shared_ptr<ws_session>;

  ws_session(reactor& home, tcp_socket socket, connection_permit permit)
      : home_(home),
        permit_(std::move(permit)),
        stream_(std::move(socket), home.traffic()),
        reader_(limits().max_frame_bytes) {
    home_.add(*this, home.with().settings.net.header_timeout);
    stream_.set_owner(this);
  }
  ws_session(ws_session&&) = delete;
  ~ws_session() { finish(); }

  static void start(pointer self, ws_upgrade how);

  void expire() noexcept override;
  void cut() noexcept override;
  void retire() noexcept override;

private:
  static void opened(const pointer& self, identity who, wire::serializer version);
  static void listen(const pointer& self);
  static void receive(const pointer& self);
  static void act_on(const pointer& self, wire::ws_input what);
  static void ask_session(const pointer& self, std::string bytes, bool binary);
  static void end_with(const pointer& self, std::uint16_t code);
  void decided(const result<actors::verdict>& what);

  void take(wire::frame what) override { stream_.push(std::move(what)); }
  void flush() override { stream_.flush(); }
  void shut(std::uint16_t code) override;
  void frames_left(std::size_t bytes) noexcept override;
  void close_begun() noexcept override;

  void heard() noexcept;
  void finish() noexcept;
  [[nodiscard]] const config::realtime_settings& limits() const noexcept {
    return home_.with().settings.realtime;
  }

  reactor& home_;
  connection_permit permit_;
  frame_stream stream_;
  wire::ws_reader reader_;
  actors::session_actor session_;
  std::shared_ptr<ws_outbox> outbox_;
  std::weak_ptr<ws_session> self_; ///< to read on when the close comes from outside
  clock::time_point last_message_; ///< when the client sent one
  bool pending_ = false;   ///< a handshake or a read is under way: it ends the session
  bool asking_ = false;    ///< SESSION has a frame: the next one waits
  bool listening_ = false; ///< listen() is under way
  bool closing_ = false;
  bool asked_ = false; ///< whether it is still there: a ping that nothing followed
  bool torn_ = false;  ///< nothing the client says has a meaning any more
  bool finished_ = false;
};

void ws_session::start(pointer self, ws_upgrade how) {
  const auto request = handshake(how.request);
  self->self_ = self;
  self->pending_ = true;
  const auto answerer = std::make_shared<handshaker>(self->stream_.socket());
  answerer->async_accept(request, [self, answerer, who = std::move(how.who),
                                   version = how.version](error_code ec) mutable {
    self->pending_ = false;
    if (ec)
      return self->finish();
    opened(self, std::move(who), version);
  });
}

void ws_session::opened(const pointer& self, identity who, wire::serializer version) {
  self->outbox_ =
      ws_outbox::open(self->home_.lane(), *self, self->limits().outbox_bytes);
  self->session_ =
      self->home_.with().open_session(self->outbox_, std::move(who), version);
  if (self->home_.retiring())
    self->retire();
  self->last_message_ = clock::now();
  self->heard();
  listen(self);
}

/// Acts on what was read already, then reads more. While SESSION has a frame only a
/// socket that closes is listened to.
void ws_session::listen(const pointer& self) {
  auto& me = *self;
  if (me.pending_ || std::exchange(me.listening_, true))
    return;
  while (!me.finished_ && !me.torn_ && (!me.asking_ || me.closing_)) {
    auto input = me.reader_.next();
    if (input.what == wire::ws_input::kind::nothing) {
      receive(self);
      break;
    }
    act_on(self, std::move(input));
  }
  me.listening_ = false;
}

void ws_session::receive(const pointer& self) {
  const auto room = self->reader_.room();
  self->pending_ = true;
  self->stream_.socket().async_read_some(asio::buffer(room.data(), room.size()),
                                         [self](error_code ec, std::size_t size) {
                                           self->pending_ = false;
                                           if (ec)
                                             return self->finish();
                                           self->reader_.filled(size);
                                           listen(self);
                                           self->heard();
                                         });
}

void ws_session::act_on(const pointer& self, wire::ws_input what) {
  using kind = wire::ws_input::kind;
  switch (what.what) {
  case kind::text:
  case kind::binary:
    self->last_message_ = clock::now();
    if (!self->closing_)
      ask_session(self, std::move(what.bytes), what.what == kind::binary);
    return;
  case kind::ping:
    self->stream_.push_pong(what.bytes);
    return self->stream_.flush();
  case kind::close:
  case kind::broken:
    return end_with(self, what.code);
  case kind::pong:
  case kind::nothing:
    return;
  }
}

void ws_session::ask_session(const pointer& self, std::string bytes, bool binary) {
  self->asking_ = true;
  self->home_.ask_now<actors::verdict>(self->session_,
                                       actors::client_frame{std::move(bytes), binary},
                                       self->home_.with().settings.net.request_timeout,
                                       [self](const result<actors::verdict>& what) {
                                         self->asking_ = false;
                                         self->decided(what);
                                         listen(self);
                                       });
}

/// Says so, unless we said it before, and waits until the client has gone.
void ws_session::end_with(const pointer& self, std::uint16_t code) {
  self->stream_.push_close(code);
  self->torn_ = true;
  self->pending_ = true;
  self->stream_.tear_down([self] {
    self->pending_ = false;
    self->finish();
  });
}

void ws_session::decided(const result<actors::verdict>& what) {
  if (finished_)
    return;
  if (!what)
    outbox_->close(actors::close_code::internal_error);
  else if (*what == actors::verdict::close)
    outbox_->close(wire::ws_code::normal);
}

void ws_session::shut(std::uint16_t code) {
  static auto slow_clients = ops::counter{
      "jessica_net_slow_clients_total", "WebSockets closed because they did not read."};
  if (std::exchange(closing_, true))
    return;
  if (code == actors::close_code::try_again_later) {
    slow_clients.add();
    ops::warn("socket.slow_client", {{"limit_bytes", limits().outbox_bytes}});
    stream_.drop_waiting();
  }
  stream_.push_close(code);
  if (const auto self = self_.lock(); self && !finished_)
    listen(self);
}

void ws_session::frames_left(std::size_t bytes) noexcept {
  if (outbox_)
    outbox_->sent(bytes);
}

void ws_session::close_begun() noexcept {
  closing_ = true;
  if (outbox_)
    outbox_->end();
  home_.set_limit(*this, close_time);
}

/// Its bytes say that the client's machine is there, its messages that the client is.
void ws_session::heard() noexcept {
  if (closing_ || finished_)
    return;
  asked_ = false;
  const auto left = last_message_ + limits().idle_timeout - clock::now();
  const auto until_ping = std::chrono::milliseconds{limits().ping_after};
  home_.set_limit(
      *this, std::min(until_ping, std::chrono::ceil<std::chrono::milliseconds>(left)));
}

void ws_session::expire() noexcept {
  const auto idle = clock::now() - last_message_ >= limits().idle_timeout;
  if (!session_ || closing_ || asked_ || idle)
    return cut();
  asked_ = true;
  stream_.push_ping();
  stream_.flush();
  if (!finished_)
    home_.set_limit(*this, limits().pong_within);
}

void ws_session::cut() noexcept {
  stream_.close();
  if (!pending_)
    finish();
}

void ws_session::retire() noexcept {
  if (session_)
    home_.actors().tell(session_, actors::say_goodbye{}); // which closes the outbox
}

void ws_session::finish() noexcept {
  if (std::exchange(finished_, true))
    return;
  stream_.set_owner(nullptr);
  stream_.close();
  home_.remove(*this);
  if (outbox_)
    home_.lane()->remove(*outbox_);
  outbox_ = nullptr;
  if (session_)
    home_.actors().tell(session_, actors::socket_closed{});
  session_ = nullptr;
}

} // namespace

void serve_websocket(reactor& home, tcp_socket socket, connection_permit permit,
                     ws_upgrade upgrade) {
  ws_session::start(
      std::make_shared<ws_session>(home, std::move(socket), std::move(permit)),
      std::move(upgrade));
}

} // namespace jessica::net
