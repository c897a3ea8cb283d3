// HTTP/1.1 on one connection: requests in, routes asked, responses out, until it ends
// or becomes a WebSocket.
#pragma once

#include "net/reactor.hpp"

namespace jessica::net {

/// Starts serving; the connection owns itself from here on. Reactor thread.
void serve_http(reactor& home, tcp_socket socket, connection_permit permit);

} // namespace jessica::net
