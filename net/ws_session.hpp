// One WebSocket: frames of the client to SESSION, one at a time; frames of its outbox
// to the client.
#pragma once

#include "domain/identity.hpp"
#include "net/http_message.hpp"
#include "net/reactor.hpp"
#include "wire/phoenix.hpp"

namespace jessica::net {

/// An upgrade that may take place.
struct ws_upgrade {
  http_request request; ///< its handshake headers are checked here
  identity who;
  wire::serializer version = wire::serializer::v1;
};

/// Answers the handshake and starts SESSION; owns itself from here on. Reactor thread.
void serve_websocket(reactor& home, tcp_socket socket, connection_permit permit,
                     ws_upgrade upgrade);

} // namespace jessica::net
