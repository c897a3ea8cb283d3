// /auth/v1/user: what a signed-in user sees and changes of the own account.
#include "net/auth_limits.hpp"
#include "net/auth_request.hpp"
#include "net/routes.hpp"
#include "wire/account_change_json.hpp"
#include "wire/auth_json.hpp"

#include <array>
#include <utility>

namespace jessica::net {

namespace {

[[nodiscard]] http_response user_response(const result<account>& found,
                                          const http_request& asked) {
  return found ? json_response(200, wire::user_json(*found))
               : refuse(found.error(), asked, true);
}

answering show_user(const admitted& what, call in) {
  const auto found = co_await in.actors.ask<account>(
      in.with.accounts, actors::find_user{what.who.user, what.who.session},
      in.with.settings.net.request_timeout);
  co_return user_response(found, what.request);
}

answering change_user(const admitted& what, call in) {
  const auto& settings = in.with.settings;
  if (auto no = in.with.limits ? in.with.limits->over(paced::change, what.request)
                               : std::nullopt)
    co_return std::move(*no);
  auto read = wire::read_user_change(what.request.body, policy_of(settings.auth));
  if (!read)
    co_return refuse(read.error(), what.request, true);
  auto message = actors::change_user{what.who.user, what.who.session, {}};
  message.change.email = std::move(read->email);
  message.change.password = std::move(read->password);
  message.change.current_password = std::move(read->current_password);
  message.change.data = std::move(read->data);
  const auto changed = co_await in.actors.ask<account>(
      in.with.accounts, std::move(message), settings.net.request_timeout);
  co_return user_response(changed, what.request);
}

constexpr auto routes = std::to_array<route>({
    {"GET", "/auth/v1/user", caller::user, show_user},
    {"PUT", "/auth/v1/user", caller::user, change_user},
});

} // namespace

std::span<const route> auth_user_routes() {
  return routes;
}

} // namespace jessica::net
