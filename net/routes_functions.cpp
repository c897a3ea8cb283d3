// /functions/v1: what supabase.functions.invoke() reaches.
#include "net/functions_openapi.hpp"
#include "net/routes.hpp"
#include "wire/embed_json.hpp"
#include "wire/json_writer.hpp"
#include "wire/reply_events.hpp"

#include <array>
#include <memory>
#include <utility>

namespace jessica::net {

namespace {

[[nodiscard]] turn turn_of(const identity& author, wire::send_request what) {
  return {.author = author.user,
          .conversation =
              what.conversation ? *what.conversation : conversation_id::make(),
          .opens = !what.conversation,
          .content = std::move(what.content),
          .client_id = std::move(what.client_id),
          .params = std::move(what.params)};
}

/// Stores message, reply and job in one commit; the reply then streams on `topic`.
answering enqueue_inference(const admitted& what, call in) {
  const auto& settings = in.with.settings;
  auto asked = wire::read_send(what.request.body, settings.inference.max_content_bytes);
  if (!asked)
    co_return refuse(asked.error(), what.request, true);
  auto message = actors::enqueue{turn_of(what.who, std::move(*asked))};
  const auto stored = co_await in.actors.ask<receipt>(
      in.with.persistence, std::move(message), settings.net.request_timeout);
  if (!stored)
    co_return refuse(stored.error(), what.request, true);
  co_return json_response(202, wire::receipt_json(*stored));
}

/// Ends a reply, wherever it runs; what there is of it is kept. Idempotent.
answering stop_inference(const admitted& what, call in) {
  const auto reply = wire::read_stop(what.request.body, "reply_id");
  if (!reply)
    co_return refuse(reply.error(), what.request, true);
  auto message = actors::stop_reply{std::make_shared<const identity>(what.who), *reply};
  const auto stopped = co_await in.actors.ask<stop_receipt>(
      in.with.dispatcher, std::move(message), in.with.settings.net.request_timeout);
  if (!stopped)
    co_return refuse(stopped.error(), what.request, true);
  co_return json_response(200, wire::stop_json(stopped->status));
}

/// Claims queued jobs now and runs them: for a scheduler or an operator. Answers at
/// once; nodes do the same by themselves whenever jobs are ready.
answering run_inference_worker(const admitted& what, call in) {
  const auto max = wire::read_max(what.request.body);
  if (!max)
    co_return refuse(max.error(), what.request, true);
  const auto report = co_await in.actors.ask<actors::queue_report>(
      in.with.dispatcher, actors::run_queued{*max},
      in.with.settings.net.request_timeout);
  if (!report)
    co_return refuse(report.error(), what.request, true);
  auto body = wire::object_writer{};
  body.count("claimed", report->claimed)
      .count("running", report->running)
      .count("waiting", report->waiting);
  co_return json_response(200, body.done());
}

answering embed_a_message(const admitted& what, call in, message_id which) {
  const auto embedded = co_await in.actors.ask<actors::message_embedded>(
      in.with.embedder,
      actors::embed_message{std::make_shared<const identity>(what.who), which},
      in.with.settings.net.request_timeout);
  if (!embedded)
    co_return refuse(embedded.error(), what.request, true);
  co_return json_response(
      200, wire::embedded_json(which, embedded->pieces, embedded->position));
}

answering embed_some_texts(const admitted& what, call in, wire::embed_request asked) {
  auto message = actors::embed_texts{std::move(asked.texts),
                                     asked.query ? engines::text_purpose::query
                                                 : engines::text_purpose::document};
  const auto made = co_await in.actors.ask<actors::texts_embedded>(
      in.with.embedder, std::move(message), in.with.settings.net.request_timeout);
  if (!made)
    co_return refuse(made.error(), what.request, true);
  co_return json_response(
      200, wire::embeddings_json(in.with.embedding_model, made->vectors));
}

/// Vectors of texts; or a message's, which are stored: what a database webhook asks
/// for.
answering embed_generator(const admitted& what, call in) {
  if (!what.who.signed_in() && what.who.role != db_role::service_role)
    co_return refuse_for("no_bearer", errc::unauthenticated, what.request);
  if (!in.with.embedder)
    co_return refuse_for("no_embedder", errc::unavailable, what.request);
  const auto& limits = in.with.settings.embedding;
  auto asked =
      wire::read_embed(what.request.body, {limits.max_texts, limits.max_text_bytes});
  if (!asked)
    co_return refuse(asked.error(), what.request, true);
  if (!asked->message)
    co_return co_await embed_some_texts(what, in, std::move(*asked));
  if (asked->deleted)
    co_return json_response(200, wire::embedded_json(*asked->message, 0, {}));
  co_return co_await embed_a_message(what, in, *asked->message);
}

answering unknown_function(const admitted& what, call) {
  co_return refuse(error{errc::not_found, "unknown function", {}, nullptr},
                   what.request, what.who.signed_in());
}

/// All of these, as OpenAPI 3; a function without a name is none.
answering describe_functions(const admitted& what, call in) {
  if (what.request.method != "GET" && what.request.method != "HEAD")
    co_return co_await unknown_function(what, in);
  co_return json_response(200, functions_openapi(in.with.settings));
}

constexpr auto routes = std::to_array<route>({
    {"POST", "/functions/v1/enqueue-inference", caller::user, enqueue_inference},
    {"POST", "/functions/v1/stop-inference", caller::user, stop_inference},
    {"POST", "/functions/v1/run-inference-worker", caller::service,
     run_inference_worker},
    {"POST", "/functions/v1/embed-generator", caller::principal, embed_generator},
    {"*", "/functions/v1/", caller::key_holder, describe_functions},
    {"*", "/functions/v1", caller::key_holder, describe_functions},
    {"*", "/functions/v1/*", caller::key_holder, unknown_function},
});

} // namespace

std::span<const route> function_routes() {
  return routes;
}

} // namespace jessica::net
