// A server that hands frames on to its clients, and these clients: Jessica's broadcast
// or a peer. All get the same payloads; Jessica, ws and uws deliver frames of equal
// size, socket.io's are a little smaller.
#pragma once

#include "bench/load/channel_fleet.hpp"
#include "bench/load/servers.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace jessica::bench {

/// A JSON object of 120 bytes that holds the number.
[[nodiscard]] std::string numbered_payload(std::uint64_t number);
[[nodiscard]] std::uint64_t number_in(std::string_view payload);

class relay {
public:
  class listener {
  public:
    virtual ~listener() = default;
    virtual void delivered(std::size_t client, std::string_view payload) = 0;
  };

  relay(std::string name, const process& server)
      : name_(std::move(name)), server_(server) {}
  relay(relay&&) = delete;
  virtual ~relay() = default;

  virtual void send(std::size_t client, std::string_view payload) = 0;
  /// As fleet::run; what is delivered meanwhile goes to `to`.
  [[nodiscard]] result<void> run(listener& to, const std::function<bool()>& done,
                                 fleet::seconds limit);

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const process& server() const noexcept { return server_; }

protected:
  void deliver(std::size_t client, const message& what) {
    if (to_ != nullptr && what.kind == message::what::broadcast)
      to_->delivered(client, what.payload);
  }
  [[nodiscard]] virtual result<void> serve(const std::function<bool()>& done,
                                           fleet::seconds limit) = 0;

private:
  std::string name_;
  const process& server_;
  listener* to_ = nullptr; ///< during run()
};

/// One client for each topic, which may repeat; `self`: own frames come back. The
/// server must outlive the relay, as must the peer below.
[[nodiscard]] result<std::unique_ptr<relay>>
open_jessica_relay(const running_server& server, std::span<const seat> topics,
                   bool self);

/// `mode` of the peers: echo or fanout; the topic is only in the frames.
[[nodiscard]] result<std::unique_ptr<relay>>
open_peer_relay(const relay_peer& which, const running_server& server,
                std::string_view mode, std::string_view topic, std::size_t clients);

} // namespace jessica::bench
