// A session as its owner gets it: tokens signed, in a body or one by one.
#pragma once

#include "domain/account.hpp"
#include "domain/error.hpp"
#include "domain/password_policy.hpp"
#include "net/http_message.hpp"
#include "net/server.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace jessica::net {

struct session_tokens {
  std::string access_token;
  std::int64_t expires_in = 0; ///< seconds
  std::int64_t expires_at = 0; ///< unix seconds
};
[[nodiscard]] result<session_tokens> make_tokens(const session_grant& granted,
                                                 const backend& with);

/// SESSION, or what went wrong on the way to it; `weak`: why the password that opened
/// it would no longer be taken.
[[nodiscard]] http_response
session_response(const result<session_grant>& granted, const http_request& asked,
                 const backend& with,
                 const std::optional<password_weakness>& weak = {});

} // namespace jessica::net
