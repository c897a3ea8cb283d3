#include "storage/auth_session.hpp"

#include <arpa/inet.h>

#include <array>
#include <string>
#include <utility>

namespace jessica::storage {
namespace {

constexpr auto insert_session = std::string_view{R"(
  with s as (
    insert into auth.sessions (id, user_id, method, user_agent, ip)
    select $1, u.id, $3, $4, $5::inet from auth.users u
    where u.id = $2 and u.deleted_at is null
      and coalesce(u.banned_until <= now(), true)
    returning id, user_id, created_at, method
  ), t as (
    insert into auth.refresh_tokens (token, user_id, session_id)
    select $6, s.user_id, s.id from s
  )
  select floor(extract(epoch from s.created_at))::bigint, s.method from s)"};

} // namespace

parameter address_of(const client_origin& from) {
  auto parsed = std::array<unsigned char, sizeof(in6_addr)>{};
  const auto known = ::inet_pton(AF_INET, from.ip.c_str(), parsed.data()) == 1 ||
                     ::inet_pton(AF_INET6, from.ip.c_str(), parsed.data()) == 1;
  return known ? parameter{from.ip} : std::nullopt;
}

parameter program_of(const client_origin& from) {
  constexpr auto longest = std::size_t{255};
  if (from.user_agent.empty())
    return std::nullopt;
  auto text = from.user_agent.substr(0, longest);
  for (auto& c : text)
    if (c < ' ' || c > '~')
      c = '?';
  return text;
}

new_session::new_session(user_id user, std::string_view method,
                         const client_origin& from)
    : token_{refresh_token::make(auth_session_id::make())},
      insert_{std::string{insert_session},
              {token_.session().str(), user.str(), std::string{method},
               program_of(from), address_of(from), token_.hash()}} {}

session_grant new_session::grant(account user, const rows& inserted) const {
  return read_grant(std::move(user), token_, inserted, 0);
}

session_grant read_grant(account user, const refresh_token& live, const rows& found,
                         int column) {
  return {.user = std::move(user),
          .session = live.session(),
          .refresh_token = live.str(),
          .method = std::string{found.text(0, column + 1)},
          .authenticated_at =
              std::chrono::sys_seconds{std::chrono::seconds{found.integer(0, column)}}};
}

} // namespace jessica::storage
