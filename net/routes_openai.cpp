// /v1/chat/completions: what tools that speak OpenAI ask for.
#include "actors/completion_run.hpp"
#include "net/completion_tellers.hpp"
#include "net/routes.hpp"
#include "wire/openai_chat.hpp"

#include <boost/asio/this_coro.hpp>

#include <array>
#include <memory>
#include <utility>

namespace jessica::net {

namespace asio = boost::asio;

namespace {

[[nodiscard]] http_response respond(wire::problem what) {
  auto answer =
      http_response{what.status, std::move(what.headers), std::move(what.body)};
  answer.headers.emplace_back("Content-Type", "application/json");
  return answer;
}

[[nodiscard]] http_response respond(const wire::openai_refusal& what) {
  return respond(wire::openai_problem(what));
}

/// A completion that this reactor waits for. GATEWAY hears of its end from here.
class held_run {
public:
  held_run(const call& in, std::shared_ptr<actors::completion_run> what)
      : actors_(in.actors), gateway_(in.with.gateway), what_(std::move(what)) {}
  ~held_run() { actors_.tell(gateway_, what_->finish()); }
  held_run(const held_run&) = delete;
  held_run& operator=(const held_run&) = delete;

private:
  asker& actors_;
  actors::gateway_actor gateway_;
  std::shared_ptr<actors::completion_run> what_;
};

/// Rings when the client goes before it is answered, as long as this lives.
class watched_client {
public:
  watched_client(const call& in, bell& wakes) : client_(in.client) {
    if (client_ != nullptr)
      client_->then = [this, &wakes] {
        gone_ = true;
        wakes.ring();
      };
  }
  ~watched_client() {
    if (client_ != nullptr)
      client_->then = nullptr;
  }
  watched_client(const watched_client&) = delete;
  watched_client& operator=(const watched_client&) = delete;

  [[nodiscard]] bool gone() const noexcept { return gone_; }

private:
  departure* client_;
  bool gone_ = false;
};

/// Nobody reads it.
[[nodiscard]] http_response for_nobody() {
  constexpr auto closed_request = 499;
  auto answer = http_response{};
  answer.status = closed_request;
  return answer;
}

[[nodiscard]] wire::completion_head make_head() {
  auto id = message_id::make().str();
  std::erase(id, '-');
  return {"chatcmpl-" + id, now().time_since_epoch().count(), {}};
}

[[nodiscard]] std::optional<user_id> counted(const identity& who) {
  return who.signed_in() ? std::optional{who.user} : std::nullopt;
}

template <class Teller>
asio::awaitable<result<std::shared_ptr<held_run>>>
start(const admitted& what, const call& in, prompt asked,
      std::shared_ptr<Teller> teller) {
  auto message = actors::start_completion{
      counted(what.who), std::move(asked),
      [teller](engines::engine_event event) { teller->take(std::move(event)); }};
  auto started = co_await in.actors.ask<actors::completion_started>(
      in.with.gateway, std::move(message), in.with.settings.net.request_timeout);
  if (!started)
    co_return std::unexpected{std::move(started.error())};
  co_return std::make_shared<held_run>(in, std::move(started->run));
}

answering answer_whole(const admitted& what, const call& in,
                       wire::completion_request asked) {
  auto over = bell{co_await asio::this_coro::executor, {}};
  const auto client = watched_client{in, over};
  const auto teller = std::make_shared<whole_teller>(over.rope());
  auto head = make_head();
  const auto run = co_await start(what, in, std::move(asked.asked), teller);
  if (!run)
    co_return refuse(run.error(), what.request, true);
  while (!teller->is_over() && !client.gone())
    co_await over.wait();
  if (client.gone())
    co_return for_nobody();
  if (teller->failure())
    co_return respond(*teller->failure());
  head.model = teller->model();
  auto answer = json_response(200, wire::completion_json(head, teller->answer()));
  answer.headers.emplace_back("X-Request-Id", head.id);
  co_return answer;
}

[[nodiscard]] http_response event_stream(std::shared_ptr<streamed_body> body,
                                         std::string id) {
  auto answer = http_response{};
  answer.headers = {{"Content-Type", "text/event-stream; charset=utf-8"},
                    {"Cache-Control", "no-cache"},
                    {"X-Accel-Buffering", "no"}, // a proxy's, which would hold it back
                    {"X-Request-Id", std::move(id)}};
  answer.stream = std::move(body);
  return answer;
}

/// The answer's status has to be known before its first byte: so the engine's first
/// word is waited for.
answering answer_in_chunks(const admitted& what, const call& in,
                           wire::completion_request asked) {
  const auto reactor = co_await asio::this_coro::executor;
  auto begun = bell{reactor, {}};
  const auto client = watched_client{in, begun};
  auto body =
      std::make_shared<streamed_body>(reactor, in.with.settings.gateway.unread_bytes);
  auto head = make_head();
  const auto id = head.id;
  const auto teller = std::make_shared<stream_teller>(std::move(head), asked.with_usage,
                                                      body->writer(), begun.rope());
  auto run = co_await start(what, in, std::move(asked.asked), teller);
  if (!run)
    co_return refuse(run.error(), what.request, true);
  body->source = std::move(*run);
  body->stop = [teller] {
    teller->fail({503, "server_stopping", "The server is stopping"});
  };
  while (!teller->has_begun() && !client.gone())
    co_await begun.wait();
  if (client.gone())
    co_return for_nobody();
  if (const auto failure = teller->failure())
    co_return respond(*failure);
  co_return event_stream(std::move(body), id);
}

answering create_completion(const admitted& what, call in) {
  if (!in.with.gateway)
    co_return refuse_for("gateway_off", errc::not_found, what.request);
  auto asked = wire::read_completion(what.request.body);
  if (!asked)
    co_return respond(asked.error());
  if (asked->asked.recalls && !what.who.signed_in())
    co_return respond(wire::openai_refusal{
        400, "unsupported_value", "'memory': a service key has no memories", "memory"});
  if (asked->streamed)
    co_return co_await answer_in_chunks(what, in, std::move(*asked));
  co_return co_await answer_whole(what, in, std::move(*asked));
}

constexpr auto routes = std::to_array<route>({
    {"POST", "/v1/chat/completions", caller::bearer, create_completion},
});

} // namespace

std::span<const route> openai_routes() {
  return routes;
}

} // namespace jessica::net
