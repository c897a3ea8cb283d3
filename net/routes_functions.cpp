// /functions/v1: what supabase.functions.invoke() reaches.
#include "net/functions_openapi.hpp"
#include "net/routes.hpp"
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
    {"*", "/functions/v1/", caller::key_holder, describe_functions},
    {"*", "/functions/v1", caller::key_holder, describe_functions},
    {"*", "/functions/v1/*", caller::key_holder, unknown_function},
});

} // namespace

std::span<const route> function_routes() {
  return routes;
}

} // namespace jessica::net
