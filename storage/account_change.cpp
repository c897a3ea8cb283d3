#include "storage/account_change.hpp"

#include "storage/account_row.hpp"
#include "storage/accounts.hpp"
#include "storage/password.hpp"

#include <format>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace jessica::storage {
namespace {

constexpr auto find_hash = std::string_view{R"(
  select coalesce(encrypted_password, '') from auth.users where id = $1)"};

// No row: the session has ended or the user was shut out meanwhile.
constexpr auto change_account = std::string_view{R"(
  update auth.users u set
    email = coalesce($3, u.email),
    email_confirmed_at = case when $3 is null then u.email_confirmed_at else now() end,
    is_anonymous = u.is_anonymous and $3 is null,
    raw_app_meta_data = u.raw_app_meta_data || case when $3 is null then '{}'::jsonb
      else '{"provider": "email", "providers": ["email"]}' end,
    encrypted_password = coalesce($4, u.encrypted_password),
    raw_user_meta_data = (u.raw_user_meta_data || $5::jsonb)
      - array(select key from jsonb_each($5::jsonb) where value = 'null')
      || case when $3 is null then '{}'::jsonb else '{"email_verified": true}' end,
    updated_at = now()
  where u.id = $1 and u.deleted_at is null and coalesce(u.banned_until <= now(), true)
    and exists (select from auth.sessions s where s.id = $2 and s.user_id = u.id)
  returning )"};

constexpr auto end_others = std::string_view{R"(
  delete from auth.sessions where user_id = $1 and id <> $2)"};

/// An anonymous account takes its first address at once. A permanent one has to show
/// that the new address is its own, which needs a mail.
[[nodiscard]] result<void> check_address(const account& who) {
  if (who.anonymous)
    return {};
  return fail(errc::forbidden, "nothing sends a mail to the new address",
              "email_provider_disabled");
}

/// The new password against the one before it.
[[nodiscard]] result<void> check_against(std::string_view hash,
                                         const config::auth_settings& limits,
                                         const account_change& what) {
  if (hash.empty())
    return {};
  if (limits.require_current_password && what.current_password.empty())
    return fail(errc::invalid_input, "no current password",
                "current_password_required");
  if (limits.require_current_password && !verify_password(hash, what.current_password))
    return fail(errc::invalid_input, "not the current password",
                "current_password_invalid");
  if (verify_password(hash, what.password))
    return fail(errc::forbidden, "the password stays what it is", "same_password");
  return {};
}

/// The hash to store; nullopt: the password stays.
[[nodiscard]] result<parameter> new_hash(connection& db,
                                         const config::auth_settings& limits,
                                         user_id user, const account_change& what) {
  if (what.password.empty())
    return parameter{};
  const auto found = db.run({std::string{find_hash}, {user.str()}});
  if (!found)
    return std::unexpected{found.error()};
  const auto hash = found->size() == 1 ? found->text(0, 0) : std::string_view{};
  if (auto fit = check_against(hash, limits, what); !fit)
    return std::unexpected{std::move(fit.error())};
  return hash_password(what.password, cost_of(limits))
      .transform([](std::string&& made) { return parameter{std::move(made)}; });
}

/// Nullopt: the account or its session is gone.
[[nodiscard]] result<std::optional<account>>
store(connection& db, user_id user, auth_session_id session, const parameter& email,
      const parameter& hash, const std::string& data) {
  auto statements = std::vector<statement>{
      {std::string{change_account} + std::string{account_columns},
       {user.str(), session.str(), email, hash, data}}};
  if (hash)
    statements.push_back({std::string{end_others}, {user.str(), session.str()}});
  auto changed = std::optional<account>{};
  const auto stored =
      db.run_judged(statements, [&](const std::vector<rows>& answers) -> result<bool> {
        if (answers.front().size() == 0)
          return false;
        changed = read_account(answers.front(), 0);
        return check_metadata(*changed).transform([] { return true; });
      });
  if (!stored && stored.error().code == errc::conflict)
    return fail(errc::conflict, "the address is another account's", "email_exists");
  if (!stored)
    return std::unexpected{stored.error()};
  return changed;
}

} // namespace

result<account> change_user(connection& db, const config::auth_settings& limits,
                            user_id user, auth_session_id session,
                            const account_change& what) {
  const auto known = find_user(db, user, session);
  if (!known)
    return known;
  if (known->anonymous && !what.password.empty() && what.email.empty())
    return fail(errc::forbidden, "a password needs an address",
                "anonymous_without_email");
  const auto moves = !what.email.empty() && what.email != known->email;
  if (moves)
    if (auto allowed = check_address(*known); !allowed)
      return std::unexpected{std::move(allowed.error())};
  const auto hash = new_hash(db, limits, user, what);
  if (!hash)
    return std::unexpected{hash.error()};
  auto changed = store(db, user, session, moves ? parameter{what.email} : std::nullopt,
                       *hash, what.data);
  if (!changed)
    return std::unexpected{std::move(changed.error())};
  if (*changed)
    return std::move(**changed);
  if (auto gone = find_user(db, user, session); !gone)
    return gone;
  return fail(errc::conflict, "the account changed meanwhile", "conflict");
}

result<void> check_metadata(const account& who) {
  if (who.user_metadata.size() + who.app_metadata.size() <= max_account_metadata_bytes)
    return {};
  return fail(errc::invalid_input,
              std::format("user_metadata and app_metadata must be at most {} bytes",
                          max_account_metadata_bytes),
              "validation_failed");
}

} // namespace jessica::storage
