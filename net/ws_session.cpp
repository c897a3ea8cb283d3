#include "net/ws_session.hpp"

#include "actors/messages.hpp"
#include "domain/utf8.hpp"
#include "ops/log.hpp"
#include "ops/metrics.hpp"

#include <boost/beast/core/role.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <caf/send.hpp>

#include <algorithm>
#include <exception>
#include <string>

namespace jessica::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using boost::system::error_code;

// What Beast finds by argument-dependent lookup when it ends a stream.
void beast_close_socket(frame_stream& stream) {
  stream.close();
}

void teardown(beast::role_type, frame_stream& stream, error_code& ec) {
  stream.close();
  ec = {};
}

template <class Handler>
void async_teardown(beast::role_type, frame_stream& stream, Handler&& handler) {
  stream.tear_down(std::forward<Handler>(handler));
}

namespace {

/// Holds a heartbeat and most pushes; a longer message grows it while it is read.
constexpr auto first_read_bytes = std::size_t{160};
/// A message grows by at most this: a client that announces much gets no more memory
/// than it fills.
constexpr auto most_read_bytes = std::size_t{65'536};
/// For a close handshake, whoever began it.
constexpr auto close_time = std::chrono::milliseconds{2000};
constexpr auto normal_closure = std::uint16_t{1000};
constexpr auto protocol_error = std::uint16_t{1002};
constexpr auto not_utf8 = std::uint16_t{1007};
/// Codes beyond have no meaning (RFC 6455, 7.4.2); Beast would answer them in kind.
constexpr auto last_close_code = std::uint16_t{4999};

/// Beast checks text as it comes, but forgets to look at its end when the last fragment
/// is empty. `text` is UTF-8 up to there.
bool ends_whole(std::string_view text) {
  const auto lead = std::ranges::find_last_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; });
  return lead.empty() || first_code_point({lead.begin(), lead.end()}).valid;
}

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

/// Kept alive by its pending operations, each of which holds a pointer to it.
class ws_session final : public connection, frame_sink, stream_owner {
public:
  using pointer = std::shared_ptr<ws_session>;

  ws_session(reactor& home, tcp_socket socket, connection_permit permit)
      : home_(home),
        permit_(std::move(permit)),
        ws_(std::move(socket), home.traffic()) {
    home_.add(*this, home.with().settings.net.header_timeout);
    stream().set_owner(this);
    ws_.read_message_max(limits().max_frame_bytes);
    ws_.control_callback([this](auto what, auto) { control_read(what); });
  }
  ws_session(ws_session&&) = delete;
  ~ws_session() { finish(); }

  static void start(pointer self, ws_upgrade how);

  void cut() noexcept override;
  void retire() noexcept override;

private:
  static void opened(const pointer& self, identity who, wire::serializer version);
  static void read(const pointer& self);
  static void read_more(pointer self);
  static void message_read(const pointer& self);
  void control_read(websocket::frame_type what);
  static void decided(const pointer& self, const result<actors::verdict>& what);

  void take(wire::frame what) override { stream().push(std::move(what)); }
  void flush() override { stream().flush(); }
  void shut(std::uint16_t code) override;
  void frames_left(std::size_t bytes) noexcept override;
  void close_begun() noexcept override;

  void touch() noexcept;
  void finish() noexcept;
  frame_stream& stream() noexcept { return ws_.next_layer(); }
  [[nodiscard]] const config::realtime_settings& limits() const noexcept {
    return home_.with().settings.realtime;
  }

  reactor& home_;
  connection_permit permit_;
  websocket::stream<frame_stream, false> ws_;
  std::string message_; ///< as far as it was read, and room for more
  std::size_t size_ = 0;
  actors::session_actor session_;
  std::shared_ptr<ws_outbox> outbox_;
  std::weak_ptr<ws_session> self_; ///< to read on when the close comes from outside
  bool pending_ = false; ///< a handshake or a read is under way: it ends the session
  bool closing_ = false;
  bool finished_ = false;
};

void ws_session::start(pointer self, ws_upgrade how) {
  auto request = handshake(how.request);
  self->self_ = self;
  self->pending_ = true;
  auto& ws = self->ws_;
  ws.async_accept(request, [self, who = std::move(how.who),
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
  self->touch();
  read(self);
}

void ws_session::read(const pointer& self) {
  self->size_ = 0;
  self->message_.resize(std::min(first_read_bytes, self->limits().max_frame_bytes));
  read_more(self);
}

void ws_session::read_more(pointer self) {
  auto& me = *self;
  if (me.size_ == me.message_.size())
    me.message_.resize(me.size_ + std::min(me.size_, most_read_bytes));
  me.pending_ = true;
  const auto room =
      asio::buffer(me.message_.data() + me.size_, me.message_.size() - me.size_);
  me.ws_.async_read_some(room,
                         [self = std::move(self)](error_code ec, std::size_t size) {
                           self->pending_ = false;
                           if (ec)
                             return self->finish();
                           self->touch();
                           self->size_ += size;
                           if (self->ws_.is_message_done())
                             message_read(self);
                           else
                             read_more(self);
                         });
}

void ws_session::message_read(const pointer& self) {
  auto& me = *self;
  if (me.closing_)
    return read(self);
  me.message_.resize(me.size_);
  if (me.ws_.got_text() && !ends_whole(me.message_))
    return me.shut(not_utf8);
  me.home_.actors().ask<actors::verdict>(
      me.session_,
      actors::client_frame{std::exchange(me.message_, {}), me.ws_.got_binary()},
      me.home_.with().settings.net.request_timeout,
      [self](const result<actors::verdict>& what) { decided(self, what); });
}

void ws_session::control_read(websocket::frame_type what) {
  touch();
  if (what == websocket::frame_type::close && ws_.reason().code > last_close_code)
    stream().push_close(protocol_error); // before Beast's answer, which is dropped
}

void ws_session::decided(const pointer& self, const result<actors::verdict>& what) {
  if (self->finished_)
    return;
  if (!what)
    self->outbox_->close(actors::close_code::internal_error);
  else if (*what == actors::verdict::close)
    self->outbox_->close(normal_closure);
  if (!self->pending_)
    read(self);
}

void ws_session::shut(std::uint16_t code) {
  static auto slow_clients = ops::counter{
      "jessica_net_slow_clients_total", "WebSockets closed because they did not read."};
  if (std::exchange(closing_, true))
    return;
  if (code == actors::close_code::try_again_later) {
    slow_clients.add();
    ops::warn("socket.slow_client", {{"limit_bytes", limits().outbox_bytes}});
    stream().drop_waiting();
  }
  stream().push_close(code);
  if (!finished_ && !pending_)
    read(self_.lock());
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

void ws_session::touch() noexcept {
  if (!closing_ && !finished_)
    home_.set_limit(*this, limits().idle_timeout);
}

void ws_session::cut() noexcept {
  stream().close();
  if (!pending_)
    finish();
}

void ws_session::retire() noexcept {
  if (session_)
    caf::anon_send(session_, actors::say_goodbye{}); // which closes the outbox
}

void ws_session::finish() noexcept {
  if (std::exchange(finished_, true))
    return;
  stream().set_owner(nullptr);
  stream().close();
  home_.remove(*this);
  if (outbox_)
    home_.lane()->remove(*outbox_);
  outbox_ = nullptr;
  if (session_)
    caf::anon_send(session_, actors::socket_closed{});
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
