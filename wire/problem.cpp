#include "wire/problem.hpp"

#include "wire/answer_table.hpp"
#include "wire/json_writer.hpp"
#include "wire/quota.hpp"

#include <algorithm>
#include <array>

namespace jessica::wire {
namespace {

/// Long enough for a full queue to empty or a database to come back, short enough that
/// nobody notices.
constexpr auto retry_after_seconds = "1";

constexpr auto no_header = std::string_view{"Missing authorization header"};
constexpr auto bad_token = std::string_view{"UNAUTHORIZED_INVALID_JWT"};

constexpr auto function_answers = std::to_array<answer_row>({
    {"no_authorization", 401, "UNAUTHORIZED_NO_AUTH_HEADER", no_header},
    {"no_bearer", 401, "UNAUTHORIZED_NO_AUTH_HEADER", no_header},
    {"no_user", 401, bad_token, "Invalid JWT"},
    {"api_key", 401, "api_key", "Invalid API key"},
    {"route_not_found", 404, "route_not_found", "No such path"},
    {"conversation_not_found", 404, "conversation_not_found", "No such conversation"},
    {"message_not_found", 404, "message_not_found", "No such message"},
    {"reply_not_found", 404, "reply_not_found", "No such reply"},
    {"service_only", 403, "service_only", "Only the service role may call this"},
    {"no_embedder", 503, "no_embedder",
     "Nothing embeds texts on this server: set embedding.engine, or give it a model "
     "(docs/memory.md)"},
    {"method_not_allowed", 405, "method_not_allowed", "Method not allowed"},
    {"", 400, "invalid_input", "Bad request", errc::invalid_input},
    {"", 401, "UNAUTHORIZED_NO_AUTH_HEADER", no_header, errc::unauthenticated},
    {"", 403, "forbidden", "Not allowed", errc::forbidden},
    {"", 404, "NOT_FOUND", "Requested function was not found", errc::not_found},
    {"", 409, "conflict", "Conflict", errc::conflict},
    {"", 413, "too_large", "Request body is too large", errc::too_large},
    {"", 429, "overloaded", "Too many requests are waiting", errc::overloaded},
    {"", 503, "unavailable", "Service temporarily unavailable", errc::unavailable},
    {"", 504, "timeout", "The request took too long; it may still complete",
     errc::timeout},
    {"", 500, "internal", "Internal error", errc::internal},
});
static_assert(answers_every_code(function_answers));

[[nodiscard]] answer_row find_function_answer(const error& what) {
  if (is_token_fault(what))
    return {"", 401, bad_token, "Invalid JWT"};
  auto row = answer_to(what, function_answers);
  if (!row.reason.empty())
    return row;
  row.message = shown(what, row.message);
  if (what.reason.empty())
    return row;
  row.code = what.reason; // which is not in the table
  if (what.code == errc::not_found)
    row.message = "Not found";
  return row;
}

/// A fault of the platform, not of the function: the client reports it as its own kind
/// of error.
[[nodiscard]] bool is_relay_fault(errc code) {
  return code == errc::overloaded || code == errc::unavailable || code == errc::timeout;
}

/// Why a token does not verify, as both Realtime's upgrade and its channels word it.
[[nodiscard]] std::string_view token_text(std::string_view reason) {
  if (reason == "claims")
    return "Fields `role` and `exp` are required in JWT";
  if (reason == "signature")
    return "Failed to validate JWT signature";
  if (reason == "not_yet_valid")
    return "Token is not valid yet";
  return "The token provided is not a valid JWT";
}

constexpr auto upgrade_answers = std::to_array<answer_row>({
    {"no_api_key", 401, "", "API key is missing"},
    {"expired", 401, "", "Token has expired"},
    {"", 400, "", "Bad request", errc::invalid_input},
    {"", 401, "", "Invalid API key", errc::unauthenticated},
    {"", 403, "", "Not allowed", errc::forbidden},
    {"", 404, "", "Not found", errc::not_found},
    {"", 409, "", "Conflict", errc::conflict},
    {"", 413, "", "Request is too large", errc::too_large},
    {"", 429, "", "Too many connected users", errc::overloaded},
    {"", 503, "", "Service temporarily unavailable", errc::unavailable},
    {"", 504, "", "Timed out", errc::timeout},
    {"", 500, "", "Internal error", errc::internal},
});
static_assert(answers_every_code(upgrade_answers));

[[nodiscard]] std::pair<int, std::string_view> upgrade_answer(const error& what) {
  const auto& row = answer_to(what, upgrade_answers);
  if (!row.reason.empty())
    return {row.status, row.message};
  if (is_token_fault(what))
    return {401, token_text(what.reason)};
  return {row.status, shown(what, row.message)};
}

[[nodiscard]] std::string token_reason(const error& what) {
  if (what.reason == "expired")
    return "InvalidJWTToken: " + what.what;
  const auto* code = what.reason == "malformed"   ? "MalformedJWT: "
                     : what.reason == "signature" ? "JwtSignatureError: "
                                                  : "InvalidJWTToken: ";
  return std::string{code}.append(token_text(what.reason));
}

struct fixed_reason {
  std::string_view reason;
  std::string_view text;
};

constexpr auto channel_reasons = std::to_array<fixed_reason>({
    {"too_many_channels", "ChannelRateLimitReached: Too many channels"},
    {"too_many_joins", "ClientJoinRateLimitReached: Too many joins per second"},
    {"too_many_connections", "ConnectionRateLimitReached: Too many connected users"},
    {"too_many_messages", "Too many messages per second"},
    {"private_only", "PrivateOnly: This project only allows private channels"},
    {"session_ended", "InvalidJWTToken: Session was ended"},
    {"restarting", "RealtimeRestarting: Realtime is restarting, please standby"},
    {"write_denied", "unauthorized"},
    {"unmatched_topic", "unmatched topic"},
});

} // namespace

std::string_view shown(const error& what, std::string_view instead) {
  const auto at_fault = what.code == errc::invalid_input ||
                        what.code == errc::too_large || what.code == errc::conflict;
  // PostgreSQL's text may quote a statement of ours.
  return at_fault && !what.sql && !what.what.empty() ? std::string_view{what.what}
                                                     : instead;
}

bool is_token_fault(const error& what) {
  constexpr auto reasons = std::to_array<std::string_view>(
      {"malformed", "signature", "expired", "not_yet_valid", "claims"});
  return what.code == errc::unauthenticated &&
         std::ranges::contains(reasons, std::string_view{what.reason});
}

void add_retry_after(problem& to, errc code) {
  if (is_relay_fault(code))
    to.headers.emplace_back("Retry-After", retry_after_seconds);
}

problem function_problem(const error& what) {
  if (what.reason == "no_api_key")
    return {401, R"({"message":"No API key found in request"})", {}};
  if (auto refused = read_refusal(what))
    return {429, std::move(refused->body), {{"Retry-After", refused->retry_after}}};
  const auto answer = find_function_answer(what);
  auto body = object_writer{};
  body.text("code", answer.code).text("message", answer.message);
  auto made = problem{answer.status, body.done(), {}};
  if (is_relay_fault(what.code))
    made.headers.emplace_back("X-Relay-Error", "true");
  add_retry_after(made, what.code);
  return made;
}

problem upgrade_problem(const error& what) {
  const auto [status, text] = upgrade_answer(what);
  auto body = object_writer{};
  body.text("error", text);
  auto made = problem{status, body.done(), {}};
  add_retry_after(made, what.code);
  return made;
}

std::string channel_reason(const error& what, std::string_view channel) {
  if (is_token_fault(what))
    return token_reason(what);
  const auto* found =
      std::ranges::find(channel_reasons, what.reason, &fixed_reason::reason);
  if (found != channel_reasons.end())
    return std::string{found->text};
  switch (what.code) {
  case errc::unauthenticated:
  case errc::forbidden:
    return "Unauthorized: You do not have permissions to read from this Channel "
           "topic: " +
           std::string{channel};
  case errc::invalid_input:
    return std::string{shown(what, "Invalid message")};
  case errc::too_large:
    return what.reason.empty() ? "payload_size_exceeded"
                               : std::string{shown(what, "payload_size_exceeded")};
  case errc::conflict:
    return std::string{shown(what, "Conflict")};
  case errc::not_found:
    return "Not found";
  case errc::overloaded:
    return "Overloaded: Too many requests are waiting, please try again";
  case errc::unavailable:
  case errc::timeout:
    return "UnableToConnectToProject: Realtime was unable to connect to the project "
           "database";
  case errc::internal:
    break;
  }
  return "InternalError: Something went wrong on the server";
}

} // namespace jessica::wire
