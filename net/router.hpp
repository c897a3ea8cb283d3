// One table: method, path, handler. Routes are coroutines from request to response.
#pragma once

#include "net/asker.hpp"
#include "net/http_message.hpp"
#include "net/server.hpp"

#include <boost/asio/awaitable.hpp>

namespace jessica::net {

/// What a route may use: the actors' handles and the reactor it runs on.
struct call {
  const backend& with;
  asker& actors;
};

/// Answers any request but the WebSocket upgrade: finds the route, lets the gate check
/// who asks, adds CORS headers; unknown paths get a JSON 404. Never throws.
boost::asio::awaitable<http_response> answer(http_request what, call in);

} // namespace jessica::net
