// One WebSocket to a server on this machine: handshake, masked frames out, whole frames
// in, ping answered. Never blocks; a fleet tells it when the socket is ready.
#pragma once

#include "bench/load/descriptor.hpp"
#include "bench/load/ws_frames.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace jessica::bench {

struct ws_address {
  std::uint16_t port = 0; ///< on 127.0.0.1
  std::string path = "/";
};

class ws_client {
public:
  /// Hears of whole data frames; must not end the client meanwhile.
  class listener {
  public:
    virtual ~listener() = default;
    virtual void frame(std::size_t client, const server_frame& what) = 0;
    /// Its handshake is over. May come after its first frames.
    virtual void opened(std::size_t /*client*/) {}
  };

  /// Begins to connect from one of several loopback addresses, so that ports do not run
  /// out. `number` is what listeners are told. Fails: unavailable.
  [[nodiscard]] static result<ws_client> begin(const ws_address& to,
                                               std::size_t number);

  /// Does what the socket is ready for. `ended`: the peer has closed its side. `space`
  /// is for reading, shared by all clients. Fails: unavailable (refused, closed),
  /// invalid_input (not WebSocket).
  [[nodiscard]] result<void> advance(std::span<char> space, bool ended, listener& to);

  /// Sends what fits now and keeps the rest. Only when open. Fails: unavailable.
  [[nodiscard]] result<void> send(opcode kind, std::string_view payload);

  [[nodiscard]] bool is_open() const noexcept { return phase_ == phase::open; }
  [[nodiscard]] int socket() const noexcept { return socket_.number(); }

private:
  enum class phase : std::uint8_t { connecting, upgrading, open };

  ws_client(descriptor socket, std::size_t number, const ws_address& to);

  [[nodiscard]] result<void> finish_connecting();
  [[nodiscard]] result<void> flush();
  [[nodiscard]] result<void> read(std::span<char> space, bool ended, listener& to);
  [[nodiscard]] result<void> take(std::string_view bytes, listener& to);
  [[nodiscard]] result<std::size_t> take_whole(std::string_view bytes, listener& to);
  [[nodiscard]] result<std::size_t> take_handshake(std::string_view bytes);
  [[nodiscard]] result<void> take_frame(const server_frame& what, listener& to);

  descriptor socket_;
  std::size_t number_;
  phase phase_ = phase::connecting;
  std::string unsent_;
  std::string partial_; ///< the beginning of a frame, or of the handshake's answer
  std::uint32_t mask_;
};

} // namespace jessica::bench
