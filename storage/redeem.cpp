#include "storage/redeem.hpp"

#include "storage/account_row.hpp"
#include "storage/auth_session.hpp"
#include "storage/flow_state.hpp"

#include <array>
#include <utility>
#include <vector>

namespace jessica::storage {
namespace {

constexpr auto shown_columns = std::string_view{R"(
  c.id, c.user_id, c.kind, c.email, c.code_hash, coalesce(c.flow_id::text, ''),
  coalesce(u.email, ''), u.email_change_confirm_status,
  coalesce(u.banned_until > now(), false))"};

constexpr auto find_token = std::string_view{R"(
  from auth.one_time_codes c
  join auth.users u on u.id = c.user_id and u.deleted_at is null
  where c.token_hash = $1 and c.kind = any($2::text[]) and c.expires_at > now())"};

constexpr auto count_guess = std::string_view{R"(
  update auth.one_time_codes c set attempts = c.attempts + 1
  from auth.users u
  where u.id = c.user_id and u.deleted_at is null and c.email = $1
    and c.kind = any($2::text[]) and c.expires_at > now() and c.attempts < $3
  returning )"};

constexpr auto count_nonce = std::string_view{R"(
  update auth.one_time_codes c set attempts = c.attempts + 1
  from auth.users u
  where u.id = c.user_id and u.deleted_at is null and c.user_id = $1
    and c.kind = 'reauthentication' and c.expires_at > now() and c.attempts < $2
    and lower(u.email) = c.email
  returning )"};

constexpr auto spend = std::string_view{
    "delete from auth.one_time_codes where id = $1 and code_hash = $2 returning id"};

/// Only while the address is still the account's own.
constexpr auto confirm = std::string_view{R"(
  update auth.users u set email_confirmed_at = coalesce(u.email_confirmed_at, now()),
    raw_user_meta_data = u.raw_user_meta_data || '{"email_verified": true}',
    last_sign_in_at = now(), updated_at = now()
  where u.id = $1 and u.deleted_at is null and lower(u.email) = $2
  returning )"};

constexpr auto confirm_first = std::string_view{R"(
  update auth.users u set email_change_confirm_status = 1, updated_at = now()
  where u.id = $1 and u.email_change <> '' and u.email_change_confirm_status = 0
  returning )"};

constexpr auto change_address = std::string_view{R"(
  update auth.users u set email = u.email_change, email_change = '',
    email_change_confirm_status = 0, email_confirmed_at = now(), is_anonymous = false,
    raw_app_meta_data = case when u.is_anonymous
      then u.raw_app_meta_data || '{"provider": "email", "providers": ["email"]}'
      else u.raw_app_meta_data end,
    raw_user_meta_data = u.raw_user_meta_data || '{"email_verified": true}',
    last_sign_in_at = now(), updated_at = now()
  where u.id = $1 and u.email_change <> '' and u.email_change_confirm_status = $2
  returning )"};

constexpr auto drop_codes =
    std::string_view{"delete from auth.one_time_codes where user_id = $1"};

/// A row of one_time_codes and what its user's says beside it.
struct found_code {
  std::string id;
  user_id user;
  std::string kind;
  std::string email;
  std::string code_hash;
  std::string flow;
  std::string current_email; ///< of the user; empty: anonymous
  std::string status;        ///< of an e-mail change: "1" after the first confirmation
  bool banned = false;

  [[nodiscard]] bool changes_email() const { return kind.starts_with("email_change"); }
};

[[nodiscard]] found_code read_code(const rows& from, int row) {
  const auto text = [&](int column) { return std::string{from.text(row, column)}; };
  return {.id = text(0),
          .user = user_id::parse(from.text(row, 1)).value_or(user_id{}),
          .kind = text(2),
          .email = text(3),
          .code_hash = text(4),
          .flow = text(5),
          .current_email = text(6),
          .status = text(7),
          .banned = from.text(row, 8) == "t"};
}

[[nodiscard]] std::string with_columns(std::string_view before,
                                       std::string_view columns,
                                       std::string_view after = {}) {
  return std::string{before} + std::string{columns} + std::string{after};
}

/// The kinds of code a client may mean, as an array.
[[nodiscard]] std::string_view kinds_of(verify_type type) noexcept {
  switch (type) {
  case verify_type::signup:
  case verify_type::invite:
    return "{confirmation}";
  case verify_type::magiclink:
  case verify_type::recovery:
    return "{recovery}";
  case verify_type::email:
    return "{confirmation,recovery}";
  case verify_type::email_change:
    break;
  }
  return "{email_change_current,email_change_new}";
}

[[nodiscard]] std::unexpected<error> not_good(const presented_code& what) {
  return fail(errc::forbidden,
              what.email.empty() ? "Email link is invalid or has expired"
                                 : "Token has expired or is invalid",
              what.email.empty() ? "otp_link_expired" : "otp_expired");
}

[[nodiscard]] result<found_code> find(connection& db, const mail_rules& rules,
                                      const presented_code& what) {
  const auto kinds = std::string{kinds_of(what.type)};
  const auto by_token = what.email.empty();
  const auto found =
      by_token ? db.run({with_columns("select ", shown_columns, find_token),
                         {hash_token(what.secret), kinds}})
               : db.run({with_columns(count_guess, shown_columns),
                         {what.email, kinds, std::to_string(rules.auth.otp_attempts)}});
  if (!found)
    return std::unexpected{found.error()};
  for (auto row = 0; row < found->size(); ++row) {
    auto code = read_code(*found, row);
    if (by_token ||
        same_secret(code.code_hash,
                    rules.key.hash(code.user, code.kind, code.email, what.secret)))
      return code;
  }
  return not_good(what);
}

/// What follows from a code: the statement on its user, and whether that is all.
struct consequence {
  statement on_user;
  bool first_of_two = false;
};

[[nodiscard]] consequence follow(const found_code& code, const mail_rules& rules) {
  if (!code.changes_email())
    return {{with_columns(confirm, account_columns), {code.user.str(), code.email}}};
  if (rules.auth.secure_email_change && !code.current_email.empty() &&
      code.status == "0")
    return {{with_columns(confirm_first, account_columns), {code.user.str()}}, true};
  return {
      {with_columns(change_address, account_columns), {code.user.str(), code.status}}};
}

/// How the code's holder goes on: with a session, or a code for the app.
struct continuation {
  std::string auth_code;
  std::optional<new_session> opening;
  statement what;
};

[[nodiscard]] continuation go_on(const found_code& code, bool as_flow,
                                 const client_origin& from) {
  if (as_flow) {
    auto auth_code = make_token();
    auto what = continue_flow(code.flow, auth_code);
    return {std::move(auth_code), std::nullopt, std::move(what)};
  }
  auto opening = new_session{code.user, "otp", from};
  auto what = opening.insert();
  return {{}, std::move(opening), std::move(what)};
}

[[nodiscard]] statement spending(const found_code& code) {
  return {std::string{spend}, {code.id, code.code_hash}};
}

[[nodiscard]] bool all_answered(const std::vector<rows>& got, std::size_t first) {
  for (auto at = std::size_t{0}; at < first; ++at)
    if (got[at].size() == 0)
      return false;
  return true;
}

[[nodiscard]] result<std::vector<rows>>
run_all(connection& db, std::vector<statement> statements, std::size_t needed) {
  auto done =
      db.run_judged(statements, [needed](const std::vector<rows>& got) -> result<bool> {
        return all_answered(got, needed);
      });
  if (!done && done.error().code == errc::conflict)
    return fail(errc::conflict, "somebody else has the new address", "email_exists");
  return done;
}

/// nullopt: the code or its user changed meanwhile.
[[nodiscard]] result<std::optional<redemption>>
carry_out(connection& db, const mail_rules& rules, const found_code& code, bool as_flow,
          const client_origin& from) {
  auto next = follow(code, rules);
  auto statements = std::vector{spending(code), std::move(next.on_user)};
  if (next.first_of_two) {
    const auto done = run_all(db, std::move(statements), 2);
    if (!done)
      return std::unexpected{done.error()};
    return all_answered(*done, 2) ? std::optional{redemption{}} : std::nullopt;
  }
  auto way = go_on(code, as_flow, from);
  statements.push_back(std::move(way.what));
  statements.push_back(forget_mail_times(code.email));
  if (code.changes_email()) // what went to the old address is worth nothing any more
    statements.push_back({std::string{drop_codes}, {code.user.str()}});
  constexpr auto needed = std::size_t{3};
  const auto done = run_all(db, std::move(statements), needed);
  if (!done)
    return std::unexpected{done.error()};
  if (!all_answered(*done, needed))
    return std::nullopt;
  if (!way.opening)
    return redemption{std::nullopt, std::move(way.auth_code)};
  return redemption{way.opening->grant(read_account(done->at(1), 0), done->at(2)), {}};
}

} // namespace

result<redemption> redeem(connection& db, const mail_rules& rules,
                          const presented_code& what, bool by_link,
                          const client_origin& from) {
  // Both addresses may confirm at the same moment: the second turn sees the first's.
  constexpr auto turns = 2;
  const auto as_flow = by_link && what.secret.starts_with(pkce_prefix);
  for (auto turn = 0; turn < turns; ++turn) {
    const auto code = find(db, rules, what);
    if (!code)
      return std::unexpected{code.error()};
    if (code->banned)
      return fail(errc::forbidden, "User is banned", "user_banned");
    if (as_flow && code->flow.empty())
      return fail(errc::invalid_input,
                  "No associated flow state found. No valid flow state found for user.",
                  "flow_state_not_found");
    auto done = carry_out(db, rules, *code, as_flow, from);
    if (!done)
      return std::unexpected{std::move(done.error())};
    if (*done)
      return std::move(**done);
  }
  return not_good(what);
}

result<void> spend_nonce(connection& db, const mail_rules& rules, user_id user,
                         std::string_view nonce) {
  const auto found = db.run({with_columns(count_nonce, shown_columns),
                             {user.str(), std::to_string(rules.auth.otp_attempts)}});
  if (!found)
    return std::unexpected{found.error()};
  if (found->size() == 1) {
    const auto code = read_code(*found, 0);
    if (same_secret(code.code_hash,
                    rules.key.hash(code.user, code.kind, code.email, nonce))) {
      const auto spent = db.run(spending(code));
      if (!spent)
        return std::unexpected{spent.error()};
      if (spent->size() == 1)
        return {};
    }
  }
  return fail(errc::invalid_input, "Nonce has expired or is invalid",
              "reauthentication_not_valid");
}

} // namespace jessica::storage
