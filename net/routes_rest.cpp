// /rest/v1: what supabase.from(table) and supabase.rpc(name) reach.
#include "net/rest_request.hpp"
#include "net/rest_response.hpp"
#include "net/routes.hpp"
#include "net/static_files.hpp"

#include <array>
#include <format>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace jessica::net {

namespace {

[[nodiscard]] std::optional<rest_action> action_of(std::string_view method) {
  if (method == "GET" || method == "HEAD")
    return rest_action::read;
  if (method == "POST")
    return rest_action::insert;
  if (method == "PATCH")
    return rest_action::update;
  if (method == "DELETE")
    return rest_action::remove;
  return std::nullopt;
}

[[nodiscard]] http_response method_refused(const http_request& asked, std::string code,
                                           std::string why, std::string_view methods) {
  auto answer = refuse(dialect_error(std::move(code), std::move(why)), asked, true);
  answer.headers.emplace_back("Allow", methods);
  return answer;
}

[[nodiscard]] http_response no_such_path(const http_request& asked) {
  return refuse(dialect_error("PGRST125", "Invalid path specified in request URL"),
                asked, true);
}

using request_ptr = std::shared_ptr<const rest_request>;

/// Waits for the CLERK's answer; a client that leaves takes its request back.
boost::asio::awaitable<result<rest_reply>> perform(const request_ptr& request,
                                                   call in) {
  const auto& clerk = request->read_only ? in.with.rest_readers : in.with.rest_writers;
  if (in.client)
    in.client->then = [&] { in.actors.tell(clerk, actors::forget{request}); };
  auto reply = co_await in.actors.ask<rest_reply>(clerk, actors::perform{request},
                                                  in.with.settings.net.request_timeout);
  if (in.client)
    in.client->then = nullptr;
  co_return reply;
}

answering carry_out(const admitted& what, rest_action action, std::string target,
                    call in) {
  const auto& asked = what.request;
  const auto signed_in = what.who.role != db_role::anon;
  const auto request = rest_request_of(asked, what.who, action, std::move(target));
  if (!request)
    co_return refuse(request.error(), asked, signed_in);
  auto reply = co_await perform(*request, in);
  if (!reply)
    co_return refuse(reply.error(), asked, signed_in);
  co_return rest_response(asked, **request, std::move(*reply));
}

/// What there is for the asker, as OpenAPI.
answering description(const admitted& what, call in) {
  const auto& asked = what.request;
  const auto signed_in = what.who.role != db_role::anon;
  if (asked.method != "GET" && asked.method != "HEAD")
    co_return method_refused(asked, "PGRST117",
                             "Unsupported HTTP method: " + asked.method, "GET, HEAD");
  const auto request = describe_request_of(
      asked, what.who, in.with.settings.net.public_url + "/rest/v1/");
  if (!request)
    co_return refuse(request.error(), asked, signed_in);
  auto reply = co_await perform(*request, in);
  if (!reply)
    co_return refuse(reply.error(), asked, signed_in);
  auto answer = http_response{};
  answer.status = 200;
  answer.headers.emplace_back("Content-Type",
                              "application/openapi+json; charset=utf-8");
  answer.body = std::move(reply->body);
  co_return answer;
}

answering table(const admitted& what, call in) {
  const auto& asked = what.request;
  auto name = decode_path(what.rest);
  if (what.rest.empty())
    co_return co_await description(what, in);
  if (!name || name->contains('/'))
    co_return no_such_path(asked);
  const auto action = action_of(asked.method);
  if (!action)
    co_return method_refused(asked, "PGRST117",
                             "Unsupported HTTP method: " + asked.method,
                             "GET, HEAD, POST, PATCH, DELETE");
  co_return co_await carry_out(what, *action, std::move(*name), in);
}

answering function(const admitted& what, call in) {
  const auto& asked = what.request;
  auto name = decode_path(what.rest);
  if (!name || name->empty() || name->contains('/'))
    co_return no_such_path(asked);
  if (asked.method != "GET" && asked.method != "HEAD" && asked.method != "POST")
    co_return method_refused(
        asked, "PGRST101", std::format("Cannot use the {} method on RPC", asked.method),
        "GET, HEAD, POST");
  co_return co_await carry_out(what, rest_action::call, std::move(*name), in);
}

constexpr auto routes = std::to_array<route>({
    {"*", "/rest/v1/rpc/*", caller::principal, function},
    {"*", "/rest/v1/*", caller::principal, table},
    {"*", "/rest/v1", caller::principal, table},
});

} // namespace

std::span<const route> rest_routes() {
  return routes;
}

} // namespace jessica::net
