// For whoever runs the server, and for the page: no API key.
#include "net/routes.hpp"
#include "wire/json_writer.hpp"

#include <array>

namespace jessica::net {

namespace {

[[nodiscard]] http_response text_response(int status, std::string body) {
  auto answer = http_response{};
  answer.status = status;
  answer.headers = {{"Content-Type", "text/plain; charset=utf-8"},
                    {"Cache-Control", "no-store"}};
  answer.body = std::move(body);
  return answer;
}

/// The process is up.
answering health(const admitted&, call) {
  co_return text_response(200, "ok\n");
}

/// The database answers: it is asked for nobody's account, and a clear "no" will do.
answering ready(const admitted& what, call in) {
  const auto asked = co_await in.actors.ask<account>(
      in.with.accounts, actors::find_user{}, in.with.settings.net.request_timeout);
  const auto answered = asked || asked.error().code == errc::forbidden ||
                        asked.error().code == errc::not_found ||
                        asked.error().code == errc::unauthenticated;
  if (answered)
    co_return text_response(200, "ready\n");
  co_return refuse(asked.error(), what.request, false);
}

answering metrics(const admitted&, call in) {
  auto answer = http_response{};
  answer.headers = {{"Content-Type", "text/plain; version=0.0.4"},
                    {"Cache-Control", "no-store"}};
  answer.body = in.with.metrics();
  co_return answer;
}

/// What the page needs to make its client; an empty url is the page's own origin.
answering client_settings(const admitted&, call in) {
  auto body = wire::object_writer{};
  body.text("url", "").text("anon_key", in.with.anon_key);
  auto answer = json_response(200, body.done());
  answer.headers.emplace_back("Cache-Control", "no-store");
  co_return answer;
}

constexpr auto routes = std::to_array<route>({
    {"GET", "/health", caller::anyone, health},
    {"GET", "/ready", caller::anyone, ready},
    {"GET", "/metrics", caller::anyone, metrics},
    {"GET", "/client.json", caller::anyone, client_settings},
});

} // namespace

std::span<const route> ops_routes() {
  return routes;
}

} // namespace jessica::net
