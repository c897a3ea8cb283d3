// /auth/v1/admin/users: accounts for whoever holds the service role.
#include "net/auth_request.hpp"
#include "net/routes.hpp"
#include "wire/account_admin_json.hpp"
#include "wire/auth_json.hpp"

#include <array>
#include <optional>
#include <string>
#include <utility>

namespace jessica::net {

namespace {

constexpr auto collection = std::string_view{"/auth/v1/admin/users"};

/// Why the asker may not; nullopt: it is the service role.
[[nodiscard]] std::optional<http_response> not_allowed(const admitted& what) {
  if (what.who.role == db_role::service_role)
    return std::nullopt;
  return refuse_for("not_admin", errc::forbidden, what.request);
}

[[nodiscard]] http_response no_uuid(const admitted& what) {
  return refuse(refusal{404, "validation_failed", "user_id must be an UUID"},
                what.request);
}

/// USER, or what went wrong on the way to it.
[[nodiscard]] http_response user_response(const result<account>& found,
                                          const http_request& asked) {
  return found ? json_response(200, wire::user_json(*found))
               : refuse(found.error(), asked, true);
}

answering create(const admitted& what, call in) {
  if (auto no = not_allowed(what))
    co_return std::move(*no);
  const auto& settings = in.with.settings;
  auto read = wire::read_new_account(what.request.body, policy_of(settings.auth));
  if (!read)
    co_return refuse(read.error(), what.request, true);
  const auto made = co_await in.actors.ask<account>(
      in.with.accounts, actors::create_account{std::move(*read)},
      settings.net.request_timeout);
  co_return user_response(made, what.request);
}

answering list(const admitted& what, call in) {
  if (auto no = not_allowed(what))
    co_return std::move(*no);
  const auto asked = wire::read_page(query_value(what.request, "page"),
                                     query_value(what.request, "per_page"));
  if (!asked)
    co_return refuse(asked.error(), what.request, true);
  const auto found = co_await in.actors.ask<account_page>(
      in.with.accounts, actors::list_accounts{*asked},
      in.with.settings.net.request_timeout);
  if (!found)
    co_return refuse(found.error(), what.request, true);
  auto answer = json_response(200, wire::accounts_json(*found));
  answer.headers.emplace_back("X-Total-Count", std::to_string(found->total));
  answer.headers.emplace_back("Link",
                              wire::page_links(collection, *asked, found->total));
  co_return answer;
}

answering show(const admitted& what, call in) {
  if (auto no = not_allowed(what))
    co_return std::move(*no);
  const auto user = user_id::parse(what.rest);
  if (!user)
    co_return no_uuid(what);
  const auto found =
      co_await in.actors.ask<account>(in.with.accounts, actors::find_account{*user},
                                      in.with.settings.net.request_timeout);
  co_return user_response(found, what.request);
}

answering change(const admitted& what, call in) {
  if (auto no = not_allowed(what))
    co_return std::move(*no);
  const auto& settings = in.with.settings;
  const auto user = user_id::parse(what.rest);
  if (!user)
    co_return no_uuid(what);
  auto read = wire::read_account_fields(what.request.body, policy_of(settings.auth));
  if (!read)
    co_return refuse(read.error(), what.request, true);
  const auto changed = co_await in.actors.ask<account>(
      in.with.accounts, actors::change_account{*user, std::move(*read)},
      settings.net.request_timeout);
  co_return user_response(changed, what.request);
}

answering remove(const admitted& what, call in) {
  if (auto no = not_allowed(what))
    co_return std::move(*no);
  const auto user = user_id::parse(what.rest);
  if (!user)
    co_return no_uuid(what);
  const auto softly = wire::read_soft_delete(what.request.body);
  if (!softly)
    co_return refuse(softly.error(), what.request, true);
  const auto gone = co_await in.actors.ask<actors::done>(
      in.with.accounts, actors::delete_account{*user, *softly},
      in.with.settings.net.request_timeout);
  co_return gone ? json_response(200, "{}") : refuse(gone.error(), what.request, true);
}

constexpr auto routes = std::to_array<route>({
    {"GET", collection, caller::principal, list},
    {"POST", collection, caller::principal, create},
    {"GET", "/auth/v1/admin/users/*", caller::principal, show},
    {"PUT", "/auth/v1/admin/users/*", caller::principal, change},
    {"DELETE", "/auth/v1/admin/users/*", caller::principal, remove},
});

} // namespace

std::span<const route> auth_admin_routes() {
  return routes;
}

} // namespace jessica::net
