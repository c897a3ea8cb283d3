#include "net/auth_request.hpp"

#include "wire/rest_query.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace jessica::net {
namespace {

constexpr auto max_user_agent_bytes = std::size_t{256};

} // namespace

client_origin origin_of(const http_request& what) {
  auto agent = std::string{what.header("user-agent").substr(0, max_user_agent_bytes)};
  std::ranges::replace_if(agent, [](char c) { return c < ' ' || c > '~'; }, '?');
  return {what.remote_ip, std::move(agent)};
}

std::string query_value(const http_request& what, std::string_view name) {
  const auto all = wire::decode_query(what.query);
  if (!all)
    return {};
  const auto found =
      std::ranges::find(*all, name, [](const auto& pair) { return pair.first; });
  return found == all->end() ? std::string{} : found->second;
}

password_policy policy_of(const config::auth_settings& auth) {
  return {.min_characters = auth.min_password,
          .max_bytes = auth.max_password,
          .required = auth.password_characters,
          .refuse_known = auth.refuse_known_passwords};
}

} // namespace jessica::net
