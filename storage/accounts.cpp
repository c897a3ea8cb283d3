#include "storage/accounts.hpp"

#include "storage/account_row.hpp"
#include "storage/auth_session.hpp"
#include "storage/password.hpp"

#include <array>
#include <utility>

namespace jessica::storage {
namespace {

constexpr auto insert_with_email = std::string_view{R"(
  insert into auth.users as u (id, email, encrypted_password, email_confirmed_at,
    last_sign_in_at, raw_app_meta_data, raw_user_meta_data)
  values ($1, lower($2), $3, now(), now(),
    '{"provider": "email", "providers": ["email"]}',
    $4::jsonb || '{"email_verified": true}')
  returning )"};

constexpr auto insert_anonymous = std::string_view{R"(
  insert into auth.users as u (id, last_sign_in_at, raw_user_meta_data, is_anonymous)
  values ($1, now(), $2, true)
  returning )"};

constexpr auto find_password = std::string_view{R"(
  select u.id, coalesce(u.encrypted_password, ''), coalesce(u.banned_until > now(), false),
    u.email_confirmed_at is null
  from auth.users u
  where lower(u.email) = lower($1) and not u.is_anonymous and u.deleted_at is null)"};

// No row: deleted, or another password, while this one was checked.
constexpr auto note_sign_in = std::string_view{R"(
  update auth.users u set last_sign_in_at = now(), updated_at = now(),
    encrypted_password = coalesce($3, u.encrypted_password)
  where u.id = $1 and u.deleted_at is null and u.encrypted_password = $2
  returning )"};

constexpr auto find_by_session = std::string_view{R"(,
    coalesce(u.banned_until > now(), false), s.id is not null
  from auth.users u
  left join auth.sessions s
    on s.id = $2 and s.user_id = u.id and coalesce(s.not_after > now(), true)
  where u.id = $1 and u.deleted_at is null)"};

constexpr auto end_all = std::string_view{R"(
  delete from auth.sessions where user_id = $1 and $2::uuid is not null)"};
constexpr auto end_this = std::string_view{R"(
  delete from auth.sessions where user_id = $1 and id = $2)"};
constexpr auto end_others = std::string_view{R"(
  delete from auth.sessions where user_id = $1 and id <> $2)"};

[[nodiscard]] std::string returning_account(std::string_view sql) {
  return std::string{sql} + std::string{account_columns};
}

/// Only an object can be merged with; what is inside PostgreSQL checks.
[[nodiscard]] bool is_object(std::string_view json) {
  const auto first = json.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && json[first] == '{';
}

[[nodiscard]] result<statement> insert_user(user_id id, const new_account& what,
                                            hash_cost cost) {
  if (!is_object(what.data))
    return fail(errc::invalid_input, "data must be an object", "validation_failed");
  if (what.email.empty())
    return statement{returning_account(insert_anonymous), {id.str(), what.data}};
  return hash_password(what.password, cost).transform([&](std::string&& hash) {
    return statement{returning_account(insert_with_email),
                     {id.str(), what.email, std::move(hash), what.data}};
  });
}

[[nodiscard]] std::unexpected<error> banned() {
  return fail(errc::forbidden, "User is banned", "user_banned");
}

[[nodiscard]] std::unexpected<error> wrong_credentials() {
  return fail(errc::unauthenticated, "Invalid login credentials",
              "invalid_credentials");
}

/// The user and session in one commit; the user's statement returns the account.
/// Nullopt, and nothing stored: the user may not have a session.
[[nodiscard]] result<std::optional<session_grant>>
open_with(connection& db, statement user, const new_session& session) {
  const auto statements = std::array{std::move(user), session.insert()};
  auto opened = false;
  const auto stored =
      db.run_judged(statements, [&](const std::vector<rows>& got) -> result<bool> {
        opened = got[0].size() != 0 && got[1].size() != 0;
        return opened;
      });
  if (!stored)
    return std::unexpected{stored.error()};
  if (!opened)
    return std::nullopt;
  return session.grant(read_account(stored->at(0), 0), stored->at(1));
}

} // namespace

result<session_grant> sign_up(connection& db, const config::auth_settings& limits,
                              const new_account& what, const client_origin& from) {
  const auto id = user_id::make();
  auto user = insert_user(id, what, cost_of(limits));
  if (!user)
    return std::unexpected{std::move(user.error())};
  const auto session =
      new_session{id, what.email.empty() ? "anonymous" : "password", from};
  auto opened = open_with(db, std::move(*user), session);
  if (!opened && opened.error().code == errc::conflict)
    return fail(errc::conflict, "User already registered", "user_already_exists");
  if (!opened)
    return std::unexpected{std::move(opened.error())};
  if (!*opened)
    return fail(errc::internal, "a new account has no session");
  return std::move(**opened);
}

result<session_grant> sign_in(connection& db, const config::auth_settings& limits,
                              std::string_view email, std::string_view password,
                              const client_origin& from) {
  const auto found = db.run({std::string{find_password}, {std::string{email}}});
  if (!found)
    return std::unexpected{found.error()};
  const auto hash = found->size() == 1 ? found->text(0, 1) : std::string_view{};
  if (!is_password_hash(hash)) {
    waste_verification(password, cost_of(limits));
    return wrong_credentials();
  }
  if (!verify_password(hash, password))
    return wrong_credentials();
  if (found->text(0, 2) == "t")
    return fail(errc::forbidden, "User is banned", "sign_in_banned");
  if (found->text(0, 3) == "t")
    return fail(errc::forbidden, "Email not confirmed", "email_not_confirmed");
  auto better = parameter{};
  if (needs_new_hash(hash, cost_of(limits)))
    if (auto made = hash_password(password, cost_of(limits)))
      better = std::move(*made);
  const auto id = user_id::parse(found->text(0, 0)).value_or(user_id{});
  auto opened = open_with(
      db, {returning_account(note_sign_in), {id.str(), std::string{hash}, better}},
      new_session{id, "password", from});
  if (!opened)
    return std::unexpected{std::move(opened.error())};
  if (!*opened) // deleted or banned while the password was checked
    return wrong_credentials();
  return std::move(**opened);
}

result<account> find_user(connection& db, user_id user, auth_session_id session) {
  const auto found =
      db.run({"select " + std::string{account_columns} + std::string{find_by_session},
              {user.str(), session.str()}});
  if (!found)
    return std::unexpected{found.error()};
  if (found->size() == 0)
    return fail(errc::forbidden, "User from sub claim in JWT does not exist",
                "user_not_found");
  if (found->text(0, account_width) == "t")
    return banned();
  if (found->text(0, account_width + 1) != "t")
    return fail(errc::forbidden, "Session from session_id claim in JWT does not exist",
                "session_not_found");
  return read_account(*found, 0);
}

result<void> sign_out(connection& db, user_id user, auth_session_id session,
                      logout_scope scope) {
  if (auto known = find_user(db, user, session); !known)
    return std::unexpected{std::move(known.error())};
  const auto sql = scope == logout_scope::global  ? end_all
                   : scope == logout_scope::local ? end_this
                                                  : end_others;
  return db.run({std::string{sql}, {user.str(), session.str()}})
      .transform([](const rows&) {});
}

} // namespace jessica::storage
