#include "storage/account_change.hpp"

#include "storage/account_row.hpp"
#include "storage/accounts.hpp"
#include "storage/mail_requests.hpp"
#include "storage/password.hpp"
#include "storage/redeem.hpp"

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

constexpr auto find_owner = std::string_view{R"(
  select from auth.users u
  where lower(u.email) = $1 and not u.is_anonymous and u.id <> $2)"};

constexpr auto begin_address_change = std::string_view{R"(
  update auth.users set email_change = $2, email_change_confirm_status = 0
  where id = $1)"};

constexpr auto is_old = std::string_view{R"(
  select created_at < now() - interval '24 hours' from auth.sessions where id = $1)"};

/// A new address: taken at once, or what stores that it waits.
struct address_change {
  parameter now;
  std::vector<statement> waits;
};

/// An anonymous account takes its first address at once, unless addresses are
/// confirmed. A permanent one has to show that the new address is its own, which needs
/// a mail.
[[nodiscard]] result<address_change> plan_address(connection& db, const account& who,
                                                  const account_change& what,
                                                  const mail_rules* mail) {
  if (what.email.empty() || what.email == who.email)
    return address_change{};
  if (who.anonymous && (mail == nullptr || mail->auth.autoconfirm))
    return address_change{what.email, {}};
  if (mail == nullptr)
    return fail(errc::forbidden, "nothing sends a mail to the new address",
                "email_provider_disabled");
  const auto owner = db.run({std::string{find_owner}, {what.email, who.id.str()}});
  if (!owner)
    return std::unexpected{owner.error()};
  if (owner->size() != 0)
    return fail(errc::conflict, "the address is another account's", "email_exists");
  if (auto may = claim_mail(db, *mail, what.email, mail_reason::email_change); !may)
    return std::unexpected{std::move(may.error())};
  auto made = address_change{
      {}, {{std::string{begin_address_change}, {who.id.str(), what.email}}}};
  for (auto& one : issue_codes(
           *mail, change_letters(*mail, who.id, who.email, what.email), what.plan))
    made.waits.push_back(std::move(one));
  return made;
}

/// A session older than a day proves itself by a code before it changes the password.
[[nodiscard]] result<void> prove(connection& db, user_id user, auth_session_id session,
                                 const account_change& what, const mail_rules* mail) {
  if (what.password.empty() || mail == nullptr || !mail->auth.require_reauthentication)
    return {};
  const auto old = db.run({std::string{is_old}, {session.str()}});
  if (!old)
    return std::unexpected{old.error()};
  if (old->size() == 1 && old->text(0, 0) != "t")
    return {};
  if (what.nonce.empty())
    return fail(errc::invalid_input, "the session is old", "reauthentication_needed");
  return spend_nonce(db, *mail, user, what.nonce);
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
store(connection& db, user_id user, auth_session_id session, address_change address,
      const parameter& hash, const std::string& data) {
  auto statements = std::move(address.waits);
  const auto changing = statements.size();
  statements.push_back({std::string{change_account} + std::string{account_columns},
                        {user.str(), session.str(), address.now, hash, data}});
  if (hash)
    statements.push_back({std::string{end_others}, {user.str(), session.str()}});
  auto changed = std::optional<account>{};
  const auto stored =
      db.run_judged(statements, [&](const std::vector<rows>& answers) -> result<bool> {
        if (answers[changing].size() == 0)
          return false;
        changed = read_account(answers[changing], 0);
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
                            const account_change& what, const mail_rules* mail) {
  const auto known = find_user(db, user, session);
  if (!known)
    return known;
  if (known->anonymous && !what.password.empty() && what.email.empty())
    return fail(errc::forbidden, "a password needs an address",
                "anonymous_without_email");
  if (auto proven = prove(db, user, session, what, mail); !proven)
    return std::unexpected{std::move(proven.error())};
  const auto hash = new_hash(db, limits, user, what);
  if (!hash)
    return std::unexpected{hash.error()};
  auto address = plan_address(db, *known, what, mail);
  if (!address)
    return std::unexpected{std::move(address.error())};
  auto changed = store(db, user, session, std::move(*address), *hash, what.data);
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
