// /v1/models and /v1/embeddings: what tools that speak OpenAI ask for besides
// completions.
#include "net/gateway_openapi.hpp"
#include "net/routes.hpp"
#include "wire/openai_embeddings.hpp"
#include "wire/rest_query.hpp"

#include <algorithm>
#include <array>
#include <format>
#include <utility>

namespace jessica::net {

namespace {

[[nodiscard]] http_response respond(const wire::openai_refusal& what) {
  auto problem = wire::openai_problem(what);
  auto answer = http_response{problem.status, std::move(problem.headers),
                              std::move(problem.body)};
  answer.headers.emplace_back("Content-Type", "application/json");
  return answer;
}

[[nodiscard]] http_response no_such_model(std::string_view name) {
  return respond({404, "model_not_found",
                  std::format("The model '{}' does not exist here", name), "model"});
}

/// The models are as old as the server's start.
[[nodiscard]] std::int64_t since() {
  static const auto started = now().time_since_epoch().count();
  return started;
}

boost::asio::awaitable<result<std::vector<std::string>>> all_models(const call& in) {
  auto listed = co_await in.actors.ask<actors::models_listed>(
      in.with.gateway, actors::list_models{}, in.with.settings.net.request_timeout);
  if (!listed)
    co_return std::unexpected{std::move(listed.error())};
  auto names = std::move(listed->names);
  if (in.with.embedder && !std::ranges::contains(names, in.with.embedding_model))
    names.push_back(in.with.embedding_model);
  co_return names;
}

/// A path's last part without its percent escapes; as it is when they are broken.
[[nodiscard]] std::string name_in(std::string_view part) {
  const auto decoded = wire::decode_query(part);
  return decoded && decoded->size() == 1 && decoded->front().second.empty()
             ? decoded->front().first
             : std::string{part};
}

answering list_models(const admitted& what, call in) {
  if (!in.with.gateway)
    co_return refuse_for("gateway_off", errc::not_found, what.request);
  const auto names = co_await all_models(in);
  if (!names)
    co_return refuse(names.error(), what.request, true);
  co_return json_response(200, wire::models_json(*names, since()));
}

answering show_model(const admitted& what, call in) {
  if (!in.with.gateway)
    co_return refuse_for("gateway_off", errc::not_found, what.request);
  const auto name = name_in(what.rest);
  const auto names = co_await all_models(in);
  if (!names)
    co_return refuse(names.error(), what.request, true);
  if (!std::ranges::contains(*names, name))
    co_return no_such_model(name);
  co_return json_response(200, wire::model_json(name, since()));
}

answering create_embeddings(const admitted& what, call in) {
  if (!in.with.gateway)
    co_return refuse_for("gateway_off", errc::not_found, what.request);
  if (!in.with.embedder)
    co_return refuse_for("no_embedder", errc::unavailable, what.request);
  const auto& limits = in.with.settings.embedding;
  auto asked = wire::read_embeddings(what.request.body,
                                     {limits.max_texts, limits.max_text_bytes});
  if (!asked)
    co_return respond(asked.error());
  const auto& model = in.with.embedding_model;
  if (!asked->model.empty() && asked->model != model)
    co_return no_such_model(asked->model);
  auto message = actors::embed_for{
      what.who.signed_in() ? std::optional{what.who.user} : std::nullopt,
      {std::move(asked->texts),
       asked->query ? engines::text_purpose::query : engines::text_purpose::document}};
  const auto made = co_await in.actors.ask<actors::embedded_for>(
      in.with.gateway, std::move(message), in.with.settings.net.request_timeout);
  if (!made)
    co_return refuse(made.error(), what.request, true);
  const auto size = made->vectors.empty() ? 0 : made->vectors.front().size();
  if (asked->dimensions && *asked->dimensions != static_cast<std::int64_t>(size))
    co_return respond({400, "invalid_value",
                       std::format("'dimensions' must be {} with this model", size),
                       "dimensions"});
  co_return json_response(200,
                          wire::openai_embeddings_json(
                              {model, made->vectors, made->tokens, asked->base64}));
}

answering describe(const admitted&, call in) {
  co_return json_response(200, gateway_openapi(in.with.settings));
}

answering unknown_path(const admitted& what, call) {
  co_return refuse_for("route_not_found", errc::not_found, what.request);
}

constexpr auto routes = std::to_array<route>({
    {"POST", "/v1/embeddings", caller::bearer, create_embeddings},
    {"GET", "/v1/models", caller::bearer, list_models},
    {"GET", "/v1/models/*", caller::bearer, show_model},
    {"GET", "/v1/openapi.json", caller::anyone, describe},
    {"*", "/v1", caller::anyone, unknown_path},
    {"*", "/v1/*", caller::anyone, unknown_path},
});

} // namespace

std::span<const route> openai_model_routes() {
  return routes;
}

} // namespace jessica::net
