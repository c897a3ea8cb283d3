// /functions/v1/search-memory: what somebody said that fits a text.
#include "net/routes.hpp"
#include "wire/memory_json.hpp"

#include <array>
#include <memory>
#include <utility>

namespace jessica::net {

namespace {

/// A user finds what is the user's own; the service role says for whom it asks.
[[nodiscard]] result<storage::memory_owner>
owner_of(const identity& who, const std::optional<user_id>& user) {
  if (who.signed_in()) {
    if (user && *user != who.user)
      return fail(errc::forbidden, "user_id: of somebody else", "service_only");
    return storage::memory_owner{who.user, std::make_shared<const identity>(who)};
  }
  if (who.role != db_role::service_role)
    return fail(errc::unauthenticated, "searches need a signed-in user", "no_bearer");
  if (!user)
    return fail(errc::invalid_input, "user_id: the service role must say for whom",
                "validation_failed");
  return storage::memory_owner{*user, nullptr};
}

answering search_memory(const admitted& what, call in) {
  const auto& settings = in.with.settings;
  auto asked = wire::read_memory_search(what.request.body, settings.memory.max_results);
  if (!asked)
    co_return refuse(asked.error(), what.request, what.who.signed_in());
  auto whose = owner_of(what.who, asked->user);
  if (!whose)
    co_return refuse(whose.error(), what.request, what.who.signed_in());
  if (!in.with.memory)
    co_return refuse(
        error{errc::unavailable, "there is no memory", "no_memory", nullptr},
        what.request, true);
  auto message = actors::search_memory{std::move(*whose), std::move(asked->what)};
  const auto found = co_await in.actors.ask<actors::memories_found>(
      in.with.memory, std::move(message), settings.net.request_timeout);
  if (!found)
    co_return refuse(found.error(), what.request, true);
  constexpr auto most_bytes = std::size_t{4} << 20U;
  co_return json_response(200, wire::memories_json(found->found, most_bytes));
}

constexpr auto routes = std::to_array<route>({
    {"POST", "/functions/v1/search-memory", caller::principal, search_memory},
});

} // namespace

std::span<const route> memory_routes() {
  return routes;
}

} // namespace jessica::net
