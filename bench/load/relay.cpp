#include "bench/load/relay.hpp"

#include "bench/load/socket_io.hpp"

#include <charconv>
#include <format>

namespace jessica::bench {
namespace {

constexpr auto event = std::string_view{"tick"};
constexpr auto before_number = std::string_view{R"({"n":")"};
constexpr auto payload_bytes = std::size_t{120};
constexpr auto digits = std::size_t{10};
constexpr auto connect_limit = std::chrono::seconds{60};

class jessica_relay final : public relay, channel_fleet::listener {
public:
  explicit jessica_relay(const process& server)
      : relay("jessica", server), clients_(*this) {}

  [[nodiscard]] result<void> open(const ws_address& to, std::span<const seat> topics,
                                  bool self) {
    return clients_.open(to, topics, connect_limit).and_then([&] {
      return clients_.join({.is_private = false, .self = self, .ack = false},
                           connect_limit);
    });
  }
  void send(std::size_t client, std::string_view payload) override {
    clients_.broadcast(client, event, payload);
  }

private:
  void heard(std::size_t client, const message& what) override {
    deliver(client, what);
  }
  result<void> serve(const std::function<bool()>& done, fleet::seconds limit) override {
    return clients_.run(done, limit);
  }

  channel_fleet clients_;
};

class peer_relay final : public relay, ws_client::listener {
public:
  peer_relay(std::string_view name, const process& server, std::string_view topic)
      : relay(std::string{name}, server), topic_(topic), clients_(*this) {}

  [[nodiscard]] result<void> open(const ws_address& to, std::size_t clients) {
    return clients_.open(to, clients, connect_limit);
  }
  void send(std::size_t client, std::string_view payload) override {
    clients_.send(client, opcode::binary, delivered_message(topic_, event, payload));
  }

private:
  void frame(std::size_t client, const server_frame& what) override {
    if (const auto read = read_message(what))
      deliver(client, *read);
  }
  result<void> serve(const std::function<bool()>& done, fleet::seconds limit) override {
    return clients_.run(done, limit);
  }

  std::string topic_;
  fleet clients_;
};

class socket_io_relay final : public relay, ws_client::listener {
public:
  socket_io_relay(std::string_view name, const process& server)
      : relay(std::string{name}, server), clients_(*this) {}

  [[nodiscard]] result<void> open(const ws_address& to, std::size_t clients) {
    return clients_.open(to, clients, connect_limit).and_then([&] {
      return clients_.run([&] { return connected_ == clients; }, connect_limit);
    });
  }
  void send(std::size_t client, std::string_view payload) override {
    clients_.send(client, opcode::text, socket_io_event(event, payload));
  }

private:
  void frame(std::size_t client, const server_frame& what) override {
    const auto packet = read_socket_io(what.payload);
    switch (packet.kind) {
    case socket_io_packet::what::open:
      return clients_.send(client, opcode::text, socket_io_connect);
    case socket_io_packet::what::ping:
      return clients_.send(client, opcode::text, socket_io_pong);
    case socket_io_packet::what::connected:
      ++connected_;
      return;
    case socket_io_packet::what::event:
      return deliver(client, {.kind = message::what::broadcast,
                              .ref = 0,
                              .ok = false,
                              .event = packet.event,
                              .payload = packet.argument});
    case socket_io_packet::what::other:
      return;
    }
  }
  result<void> serve(const std::function<bool()>& done, fleet::seconds limit) override {
    return clients_.run(done, limit);
  }

  fleet clients_;
  std::size_t connected_ = 0;
};

template <class kind>
[[nodiscard]] result<std::unique_ptr<relay>>
opened(std::unique_ptr<kind> made, const ws_address& to, std::size_t clients) {
  return made->open(to, clients).transform([&]() -> std::unique_ptr<relay> {
    return std::move(made);
  });
}

} // namespace

std::string numbered_payload(std::uint64_t number) {
  auto text = std::format(R"({}{:010}","pad":")", before_number, number);
  constexpr auto end = std::string_view{R"("})"};
  text.resize(payload_bytes - end.size(), '.');
  return text.append(end);
}

std::uint64_t number_in(std::string_view payload) {
  auto number = std::uint64_t{0};
  if (payload.size() != payload_bytes)
    return number;
  const auto* const from = payload.data() + before_number.size();
  (void)std::from_chars(from, from + digits, number);
  return number;
}

result<void> relay::run(listener& to, const std::function<bool()>& done,
                        fleet::seconds limit) {
  to_ = &to;
  auto ran = serve(done, limit);
  to_ = nullptr;
  return ran;
}

result<std::unique_ptr<relay>> open_jessica_relay(const running_server& server,
                                                  std::span<const seat> topics,
                                                  bool self) {
  auto made = std::make_unique<jessica_relay>(server.child);
  if (auto opened = made->open(server.realtime(), topics, self); !opened)
    return std::unexpected{std::move(opened.error())};
  return made;
}

result<std::unique_ptr<relay>>
open_peer_relay(const relay_peer& which, const running_server& server,
                std::string_view mode, std::string_view topic, std::size_t clients) {
  const auto to = server.peer(which, mode);
  if (which.is_socket_io)
    return opened(std::make_unique<socket_io_relay>(which.name, server.child), to,
                  clients);
  return opened(std::make_unique<peer_relay>(which.name, server.child, topic), to,
                clients);
}

} // namespace jessica::bench
