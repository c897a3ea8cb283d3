#include "wire/credentials.hpp"

#include "wire/jwt.hpp"
#include "wire/token_cache.hpp"
#include "wire/trusted_issuer.hpp"

#include <sodium.h>

#include <cstddef>
#include <cstdint>
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

[[nodiscard]] result<identity> identity_of(const credentials& known,
                                           std::string_view token,
                                           std::chrono::sys_seconds now) {
  return verified(known, token, now).transform([](const auto& who) { return *who; });
}

/// What a thread has verified, and with which keys.
class memory_of_tokens {
public:
  /// Empty when the keys are other ones than before.
  [[nodiscard]] token_cache& under(const credentials& known) {
    const auto version = known.trusted ? known.trusted->version() : 0;
    if (secret_ == known.jwt_secret && keys_ == known.keys &&
        trusted_ == known.trusted && version_ == version)
      return cache_;
    cache_.clear();
    secret_ = known.jwt_secret;
    keys_ = known.keys;
    trusted_ = known.trusted;
    version_ = version;
    return cache_;
  }

private:
  static constexpr auto entries = std::size_t{4096}; // with their claims some 4 MiB

  token_cache cache_{entries};
  std::string secret_;
  std::shared_ptr<const key_ring> keys_;
  std::shared_ptr<trusted_issuer> trusted_;
  std::uint64_t version_ = 0;
};

} // namespace

result<std::shared_ptr<const identity>> verified(const credentials& known,
                                                 std::string_view token,
                                                 std::chrono::sys_seconds now) {
  // Each thread has its own: no lock, and a connection stays on its thread.
  thread_local auto memory = memory_of_tokens{};
  if (token.size() > max_token_bytes)
    return fail(errc::unauthenticated, "JWT is too long", "malformed");
  auto& cache = memory.under(known);
  const auto place = cache.place_of(token);
  if (auto who = cache.find(place, now))
    return who;
  auto who = verify_token(
      token, {known.jwt_secret, known.keys.get(), known.trusted.get()}, now);
  if (!who)
    return std::unexpected{std::move(who.error())};
  auto shared = std::make_shared<const identity>(std::move(*who));
  cache.keep(place, shared, now);
  return shared;
}

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
  auto who = identity_of(known, key, now);
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
  return bearer->starts_with(opaque_prefix) ? resolve_api_key(known, *bearer, now)
                                            : identity_of(known, *bearer, now);
}

} // namespace jessica::wire
