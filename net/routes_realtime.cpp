// /realtime/v1/api: broadcasts without a channel, as channel.httpSend() sends them.
#include "net/routes.hpp"
#include "wire/broadcast_http.hpp"

#include <array>
#include <memory>
#include <utility>
#include <vector>

namespace jessica::net {

namespace {

[[nodiscard]] http_response respond(wire::problem what) {
  auto answer =
      http_response{what.status, std::move(what.headers), std::move(what.body)};
  answer.headers.emplace_back("Content-Type", "application/json");
  return answer;
}

[[nodiscard]] http_response accepted() {
  auto answer = http_response{};
  answer.status = 202;
  return answer;
}

/// Who asks: in these two calls refusals have words of their own.
[[nodiscard]] result<identity> caller_of(const admitted& what, const call& in) {
  return admit(what.request, caller::principal, in.with.credentials,
               in.with.settings.auth.require_apikey, now());
}

boost::asio::awaitable<result<actors::broadcasts_sent>>
send(const admitted& what, const call& in, identity who,
     std::vector<wire::outgoing_broadcast> messages) {
  co_return co_await in.actors.ask<actors::broadcasts_sent>(
      in.with.broadcaster,
      actors::send_broadcasts{std::make_shared<const identity>(std::move(who)),
                              what.request.remote_ip, std::move(messages)},
      in.with.settings.net.request_timeout);
}

answering send_one(const admitted& what, call in) {
  auto who = caller_of(what, in);
  if (!who)
    co_return respond(wire::broadcast_problem(who.error()));
  auto message = wire::read_broadcast_request(what.rest, what.request.query,
                                              what.request.header("content-type"),
                                              what.request.body);
  if (!message)
    co_return respond(std::move(message.error()));
  auto messages = std::vector<wire::outgoing_broadcast>{};
  messages.push_back(std::move(*message));
  const auto sent = co_await send(what, in, std::move(*who), std::move(messages));
  if (!sent)
    co_return respond(wire::broadcast_problem(sent.error()));
  if (sent->refused > 0)
    co_return respond(wire::broadcast_problem({errc::forbidden, {}, {}, nullptr}));
  co_return accepted();
}

/// Private ones without the right are dropped without a word.
answering send_batch(const admitted& what, call in) {
  auto who = caller_of(what, in);
  if (!who)
    co_return respond(wire::broadcast_problem(who.error()));
  auto messages = wire::read_broadcast_batch(
      what.request.body, in.with.settings.realtime.events_per_second);
  if (!messages)
    co_return respond(std::move(messages.error()));
  const auto sent = co_await send(what, in, std::move(*who), std::move(*messages));
  co_return sent ? accepted() : respond(wire::broadcast_problem(sent.error()));
}

constexpr auto routes = std::to_array<route>({
    {"POST", "/realtime/v1/api/broadcast", caller::anyone, send_batch},
    {"POST", "/realtime/v1/api/broadcast/*", caller::anyone, send_one},
});

} // namespace

std::span<const route> realtime_routes() {
  return routes;
}

} // namespace jessica::net
