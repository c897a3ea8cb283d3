// What stands before a response's body, and the responses of a connection that could
// not read its request.
#pragma once

#include "net/http_message.hpp"
#include "wire/problem.hpp"

#include <boost/system/error_code.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jessica::net {

/// How a client knows where the body ends.
enum class body_form : std::uint8_t { sized, chunked, until_close };

/// The bytes before the body. A header that would break the message is left out.
[[nodiscard]] std::string response_head(const http_response& of, body_form form,
                                        bool keep_alive);

/// A refusal that no route's gate has seen: as JSON, for pages of any origin.
[[nodiscard]] http_response refusal_of(wire::problem from);

/// What a request that could not be read is answered; none: nobody is there to read it.
/// `target`: as far as it is known.
[[nodiscard]] std::optional<http_response>
read_failure(const boost::system::error_code& why, std::string_view target);

} // namespace jessica::net
