// One table: method, path, handler. Routes are coroutines from request to response.
#pragma once

#include "net/asker.hpp"
#include "net/http_message.hpp"
#include "net/server.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>

namespace jessica::net {

/// A client that goes before it is answered.
struct departure {
  std::function<void()> then; ///< set by a route that can stop what it began
};

/// What a route may use: the actors' handles and the reactor it runs on.
struct call {
  const backend& with;
  asker& actors;
  departure* client = nullptr; ///< outlives the route; null: nobody looks
};

/// Answers any request but the WebSocket upgrade: finds the route, lets the gate check
/// who asks, adds CORS headers; unknown paths get a JSON 404. Never throws.
boost::asio::awaitable<http_response> answer(http_request what, call in);

} // namespace jessica::net
