#include "wire/credentials.hpp"

#include "wire/jwt.hpp"

#include <sodium.h>

#include <utility>

namespace jessica::wire {
namespace {

constexpr auto opaque_prefix = std::string_view{"sb_"};

/// In constant time for keys of one length, which is public.
[[nodiscard]] bool same_secret(std::string_view known, std::string_view given) {
  return !known.empty() && known.size() == given.size() &&
         sodium_memcmp(known.data(), given.data(), known.size()) == 0;
}

[[nodiscard]] identity key_identity(db_role role) {
  auto who = identity{};
  who.role = role;
  who.claims = R"({"role":")" + std::string{name(role)} + R"("})";
  return who;
}

[[nodiscard]] std::unexpected<error> refuse_key(std::string what) {
  return fail(errc::unauthenticated, std::move(what), "api_key");
}

} // namespace

result<identity> resolve_api_key(const credentials& known, std::string_view key,
                                 std::chrono::sys_seconds now) {
  if (key.empty())
    return fail(errc::unauthenticated, "no API key", "no_api_key");
  if (same_secret(known.publishable_key, key))
    return key_identity(db_role::anon);
  if (same_secret(known.secret_key, key))
    return key_identity(db_role::service_role);
  if (key.starts_with(opaque_prefix))
    return refuse_key("unknown opaque API key");
  auto who = verify_token(key, known.jwt_secret, now);
  if (who && who->role == db_role::authenticated)
    return refuse_key("a user's token is no API key");
  return who;
}

result<identity> resolve_principal(const credentials& known, std::string_view apikey,
                                   std::optional<std::string_view> bearer,
                                   bool require_apikey, std::chrono::sys_seconds now) {
  auto who = result<identity>{};
  if (!apikey.empty()) {
    who = resolve_api_key(known, apikey, now);
    if (!who)
      return refuse_key(std::move(who.error().what));
  } else if (require_apikey) {
    return fail(errc::unauthenticated, "no API key", "no_api_key");
  }
  // Without a session the client sends its key in both places.
  if (!bearer || (!apikey.empty() && *bearer == apikey))
    return who;
  return bearer->starts_with(opaque_prefix)
             ? resolve_api_key(known, *bearer, now)
             : verify_token(*bearer, known.jwt_secret, now);
}

} // namespace jessica::wire
