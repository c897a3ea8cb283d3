// errc -> status and body: one table per API, so no route invents an error. The tables
// are docs/errors.md.
#pragma once

#include "domain/error.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jessica::wire {

struct problem {
  int status = 500;
  std::string body;                                         ///< JSON
  std::vector<std::pair<std::string, std::string>> headers; ///< Retry-After, ...
};

/// /auth/v1: {"code","message"} when the client sent X-Supabase-Api-Version >=
/// 2024-01-01 (echoed), else {"code":<status>,"error_code","msg"}.
[[nodiscard]] problem auth_problem(const error& what, bool versioned);

/// The same without a body.
struct auth_answer {
  int status = 500;
  std::string code;
  std::string message;
};
[[nodiscard]] auth_answer auth_words(const error& what);

/// /rest/v1: {"code","message","details","hint"}; SQLSTATEs mapped as PostgREST does.
/// `signed_in` turns 42501 into 403 instead of 401. A PGRST code is taken from `reason`
/// (message: `what`), or with details and hint from `sql`.
[[nodiscard]] problem rest_problem(const error& what, bool signed_in);

/// /functions/v1 and everything else: {"code","message"}.
[[nodiscard]] problem function_problem(const error& what);

/// The upgrade of /realtime/v1/websocket: {"error":...}.
[[nodiscard]] problem upgrade_problem(const error& what);

/// The `reason` of a refused join or push.
[[nodiscard]] std::string channel_reason(const error& what, std::string_view channel);

/// `what` where the client may see it (its input was at fault), else `instead`.
[[nodiscard]] std::string_view shown(const error& what, std::string_view instead);

/// Did verify_token refuse the token?
[[nodiscard]] bool is_token_fault(const error& what);

/// Tells the client when to come back, if that may help.
void add_retry_after(problem& to, errc code);

} // namespace jessica::wire
