#include "storage/account_admin.hpp"

#include "storage/account_change.hpp"
#include "storage/account_row.hpp"
#include "storage/password.hpp"

#include <array>
#include <chrono>
#include <format>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jessica::storage {
namespace {

// Parameters of both: 1 id, 2 e-mail, 3 confirmed, 4 hash, 5 role, 6 ban in seconds,
// 7 user_metadata, 8 app_metadata.
constexpr auto insert_account = std::string_view{R"(
  insert into auth.users as u (id, email, email_confirmed_at, encrypted_password, role,
    banned_until, raw_user_meta_data, raw_app_meta_data)
  values ($1, $2, case when $3::bool then now() end, $4,
    coalesce($5, 'authenticated'),
    case when $6::float8 > 0 then now() + make_interval(secs => $6::float8) end,
    $7::jsonb - array(select key from jsonb_each($7::jsonb) where value = 'null'),
    '{"provider": "email", "providers": ["email"]}'
      || $8::jsonb - array(select key from jsonb_each($8::jsonb) where value = 'null'))
  returning )"};

constexpr auto update_account = std::string_view{R"(
  update auth.users u set
    email = coalesce($2, u.email),
    is_anonymous = u.is_anonymous and $2 is null,
    email_confirmed_at = case when $3::bool then coalesce(u.email_confirmed_at, now())
      else u.email_confirmed_at end,
    encrypted_password = coalesce($4, u.encrypted_password),
    role = coalesce($5, u.role),
    banned_until = case when $6::float8 is null then u.banned_until
      when $6::float8 > 0 then now() + make_interval(secs => $6::float8) end,
    raw_user_meta_data = (u.raw_user_meta_data || $7::jsonb)
      - array(select key from jsonb_each($7::jsonb) where value = 'null'),
    raw_app_meta_data = (u.raw_app_meta_data || $8::jsonb)
      - array(select key from jsonb_each($8::jsonb) where value = 'null')
      || case when u.is_anonymous and $2 is not null
        then '{"provider": "email", "providers": ["email"]}'::jsonb else '{}' end,
    updated_at = now()
  where u.id = $1 and u.deleted_at is null
  returning )"};

constexpr auto end_sessions =
    std::string_view{"delete from auth.sessions where user_id = $1"};

constexpr auto count_accounts = std::string_view{"select count(*) from auth.users"};

constexpr auto from_accounts = std::string_view{R"(
  from auth.users u order by u.created_at desc, u.id desc limit $1 offset $2)"};

// A hash takes the address's place: it is free again, and whoever knows it can still
// tell that this was its account.
constexpr auto delete_softly = std::string_view{R"(
  update auth.users u set
    email = encode(sha256(convert_to(u.id::text || u.email, 'utf8')), 'hex'),
    encrypted_password = null, raw_user_meta_data = '{}', raw_app_meta_data = '{}',
    deleted_at = coalesce(u.deleted_at, now()), updated_at = now()
  where u.id = $1 and u.deleted_at is null)"};

constexpr auto delete_row = std::string_view{"delete from auth.users where id = $1"};

[[nodiscard]] std::unexpected<error> not_there() {
  return fail(errc::not_found, "no such account", "user_not_found");
}

[[nodiscard]] parameter given(const std::string& text) {
  return text.empty() ? std::nullopt : parameter{text};
}

/// The hash to store: made of the password, or taken over when it can be verified.
[[nodiscard]] result<parameter> hash_of(const account_fields& what,
                                        const config::auth_settings& limits) {
  if (!what.password_hash.empty()) {
    if (!is_password_hash(what.password_hash))
      return fail(errc::invalid_input,
                  "password_hash must be a hash of bcrypt or Argon2id",
                  "validation_failed");
    return parameter{what.password_hash};
  }
  if (what.password.empty())
    return parameter{};
  return hash_password(what.password, cost_of(limits))
      .transform([](std::string&& made) { return parameter{std::move(made)}; });
}

[[nodiscard]] statement write(std::string_view sql, user_id user,
                              const account_fields& what, const parameter& hash) {
  const auto ban = what.ban
                       ? parameter{std::format(
                             "{}", std::chrono::duration<double>{*what.ban}.count())}
                       : std::nullopt;
  return {std::string{sql} + std::string{account_columns},
          {user.str(), given(what.email), what.confirm_email ? "true" : "false", hash,
           given(what.role), ban, what.user_metadata, what.app_metadata}};
}

[[nodiscard]] error clash(const error& why) {
  const auto of_id = why.sql && why.sql->message.contains("_pkey");
  return {errc::conflict, "another account has it",
          of_id ? "user_already_exists" : "email_exists", why.sql};
}

/// Runs `statements`, of which the first returns the account; nullopt: none.
[[nodiscard]] result<std::optional<account>>
store(connection& db, const std::vector<statement>& statements) {
  auto stored = std::optional<account>{};
  const auto done =
      db.run_judged(statements, [&](const std::vector<rows>& got) -> result<bool> {
        if (got.front().size() == 0)
          return false;
        stored = read_account(got.front(), 0);
        return check_metadata(*stored).transform([] { return true; });
      });
  if (!done && done.error().code == errc::conflict)
    return std::unexpected{clash(done.error())};
  if (!done)
    return std::unexpected{done.error()};
  return stored;
}

} // namespace

result<account> create_account(connection& db, const config::auth_settings& limits,
                               const account_fields& what) {
  const auto hash = hash_of(what, limits);
  if (!hash)
    return std::unexpected{hash.error()};
  auto stored = store(
      db, {write(insert_account, what.id.value_or(user_id::make()), what, *hash)});
  if (!stored)
    return std::unexpected{std::move(stored.error())};
  if (!*stored)
    return fail(errc::internal, "a new account was not stored");
  return std::move(**stored);
}

result<account_page> list_accounts(connection& db, const page_request& which) {
  const auto statements = std::array{
      statement{std::string{count_accounts}, {}},
      statement{"select " + std::string{account_columns} + std::string{from_accounts},
                {std::to_string(which.per_page),
                 std::to_string((which.page - 1) * which.per_page)}}};
  const auto found = db.run(statements);
  if (!found)
    return std::unexpected{found.error()};
  auto page = account_page{{}, found->at(0).integer(0, 0)};
  for (auto row = 0; row < found->at(1).size(); ++row)
    page.accounts.push_back(read_account(found->at(1), row));
  return page;
}

result<account> find_account(connection& db, user_id user) {
  const auto found = db.run(
      {"select " + std::string{account_columns} + " from auth.users u where u.id = $1",
       {user.str()}});
  if (!found)
    return std::unexpected{found.error()};
  if (found->size() == 0)
    return not_there();
  return read_account(*found, 0);
}

result<account> change_account(connection& db, const config::auth_settings& limits,
                               user_id user, const account_fields& what) {
  const auto hash = hash_of(what, limits);
  if (!hash)
    return std::unexpected{hash.error()};
  auto statements = std::vector{write(update_account, user, what, *hash)};
  if (*hash)
    statements.push_back({std::string{end_sessions}, {user.str()}});
  auto stored = store(db, statements);
  if (!stored)
    return std::unexpected{std::move(stored.error())};
  if (!*stored)
    return not_there();
  return std::move(**stored);
}

result<void> delete_account(connection& db, user_id user, bool softly) {
  if (!softly) {
    const auto gone = db.run({std::string{delete_row}, {user.str()}});
    if (!gone)
      return std::unexpected{gone.error()};
    return gone->affected() == 0 ? result<void>{not_there()} : result<void>{};
  }
  if (const auto known = find_account(db, user); !known)
    return std::unexpected{known.error()};
  const auto statements =
      std::array{statement{std::string{delete_softly}, {user.str()}},
                 statement{std::string{end_sessions}, {user.str()}}};
  return db.run(statements).transform([](const std::vector<rows>&) {});
}

} // namespace jessica::storage
