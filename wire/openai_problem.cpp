#include "wire/openai_problem.hpp"

#include "wire/answer_table.hpp"
#include "wire/json_writer.hpp"
#include "wire/quota.hpp"

#include <array>
#include <utility>

namespace jessica::wire {
namespace {

constexpr auto bad_key = std::string_view{"invalid_api_key"};
constexpr auto answers = std::to_array<answer_row>({
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
    {"", 400, "invalid_value", "Bad request", errc::invalid_input},
    {"", 401, bad_key, "Incorrect API key", errc::unauthenticated},
    {"", 403, "forbidden", "Not allowed", errc::forbidden},
    {"", 404, "not_found", "Not found", errc::not_found},
    {"", 409, "conflict", "Conflict", errc::conflict},
    {"", 413, "request_too_large", "The request is too large", errc::too_large},
    {"", 429, "rate_limit_exceeded", "Too many requests are waiting", errc::overloaded},
    {"", 503, "unavailable", "Temporarily unavailable", errc::unavailable},
    {"", 504, "timeout", "The request took too long", errc::timeout},
    {"", 500, "internal_error", "Something went wrong on the server", errc::internal},
});
static_assert(answers_every_code(answers));

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
  const auto& row = answer_to(what, answers);
  const auto words = row.reason.empty() ? shown(what, row.message) : row.message;
  return openai_problem(openai_refusal{row.status, row.code, std::string{words}});
}

} // namespace jessica::wire
