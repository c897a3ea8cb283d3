// Whether a request may become a WebSocket: where it comes from, with which key.
#pragma once

#include "net/http_message.hpp"
#include "net/server.hpp"
#include "net/ws_session.hpp"

#include <string_view>

namespace jessica::net {

/// Whether net.allowed_origins, a list between commas, has this origin. Empty: any.
[[nodiscard]] bool origin_allowed(std::string_view list, std::string_view origin);

/// Fails: forbidden (an origin that is not allowed, an unknown vsn), invalid_input (no
/// proper Sec-WebSocket-Key, a broken query), unauthenticated (the API key). The
/// version of the protocol is left to the handshake, whose answer tells the client
/// ours.
[[nodiscard]] result<ws_upgrade> allow_upgrade(http_request request,
                                               const backend& with);

} // namespace jessica::net
