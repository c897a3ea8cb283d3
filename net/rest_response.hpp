// What REST answered -> an HTTP response.
#pragma once

#include "domain/rest.hpp"
#include "net/http_message.hpp"

namespace jessica::net {

/// Status, body and headers as PostgREST has them; a function's own settings win.
[[nodiscard]] http_response rest_response(const http_request& asked,
                                          const rest_request& what, rest_reply reply);

} // namespace jessica::net
