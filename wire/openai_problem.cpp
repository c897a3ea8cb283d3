#include "wire/openai_problem.hpp"

#include "wire/json_writer.hpp"
#include "wire/quota.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace jessica::wire {
namespace {

struct known_answer {
  std::string_view reason;
  int status = 500;
  std::string_view code;
  std::string_view message;
};

constexpr auto bad_key = std::string_view{"invalid_api_key"};
constexpr auto by_reason = std::to_array<known_answer>({
    {"no_bearer", 401, bad_key,
     "No API key: send a user's access token, or a service key, as the bearer token"},
    {"no_user", 401, bad_key,
     "This key names nobody: send a user's access token, or a service key"},
    {"api_key", 401, bad_key, "Incorrect API key"},
    {"expired", 401, "token_expired", "The access token has expired"},
    {"model_not_found", 404, "model_not_found", "The model does not exist here"},
    {"route_not_found", 404, "unknown_url", "Unknown request URL"},
    {"method_not_allowed", 405, "method_not_allowed", "Method not allowed"},
    {"too_many_completions", 429, "rate_limit_exceeded",
     "The server runs as many completions as it may; try again soon"},
    {"too_many_of_user", 429, "rate_limit_exceeded",
     "You run as many completions as you may at once"},
    {"no_embedder", 503, "no_embedder", "Nothing embeds texts on this server"},
    {"gateway_off", 404, "gateway_off", "This server does not answer under /v1"},
});

[[nodiscard]] known_answer by_code(const error& what) {
  switch (what.code) {
  case errc::invalid_input:
    return {"", 400, "invalid_value", shown(what, "Bad request")};
  case errc::unauthenticated:
    return {"", 401, bad_key, "Incorrect API key"};
  case errc::forbidden:
    return {"", 403, "forbidden", "Not allowed"};
  case errc::not_found:
    return {"", 404, "not_found", "Not found"};
  case errc::conflict:
    return {"", 409, "conflict", shown(what, "Conflict")};
  case errc::too_large:
    return {"", 413, "request_too_large", shown(what, "The request is too large")};
  case errc::overloaded:
    return {"", 429, "rate_limit_exceeded", "Too many requests are waiting"};
  case errc::unavailable:
    return {"", 503, "unavailable", "Temporarily unavailable"};
  case errc::timeout:
    return {"", 504, "timeout", "The request took too long"};
  case errc::internal:
    break;
  }
  return {"", 500, "internal_error", "Something went wrong on the server"};
}

[[nodiscard]] std::string_view type_of(int status) {
  if (status >= 500)
    return "server_error";
  if (status == 429)
    return "rate_limit_error";
  if (status == 401)
    return "authentication_error";
  return "invalid_request_error";
}

} // namespace

std::string openai_error_json(const openai_refusal& what) {
  auto fields = object_writer{};
  fields.text("message", what.message).text("type", type_of(what.status));
  if (what.param.empty())
    fields.json("param", "null");
  else
    fields.text("param", what.param);
  fields.text("code", what.code);
  return object_writer{}.json("error", fields.done()).done();
}

problem openai_problem(const openai_refusal& what) {
  auto made = problem{what.status, openai_error_json(what), {}};
  if (what.status == 429)
    add_retry_after(made, errc::overloaded);
  else if (what.status == 503)
    add_retry_after(made, errc::unavailable);
  return made;
}

namespace {

/// Its client tries again by itself, which is of no use before the limit resets.
[[nodiscard]] problem quota_problem(const quota_refusal& what) {
  auto fields = object_writer{};
  fields.text("message", "Your limit " + what.limit + " is reached")
      .text("type", "insufficient_quota")
      .json("param", "null")
      .text("code", "quota_exceeded")
      .json("quota", what.body);
  return {429,
          object_writer{}.json("error", fields.done()).done(),
          {{"Retry-After", what.retry_after}, {"x-should-retry", "false"}}};
}

} // namespace

problem openai_problem(const error& what) {
  if (const auto quota = read_refusal(what))
    return quota_problem(*quota);
  const auto* found = std::ranges::find(by_reason, what.reason, &known_answer::reason);
  const auto answer = found == by_reason.end() ? by_code(what) : *found;
  return openai_problem(
      openai_refusal{answer.status, answer.code, std::string{answer.message}});
}

} // namespace jessica::wire
