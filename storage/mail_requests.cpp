#include "storage/mail_requests.hpp"

#include "storage/account_row.hpp"
#include "storage/password.hpp"

#include <utility>

namespace jessica::storage {
namespace {

constexpr auto of_address = std::string_view{R"(
  from auth.users u
  where lower(u.email) = lower($1) and not u.is_anonymous and u.deleted_at is null)"};

constexpr auto of_change = std::string_view{R"(
  from auth.users u
  where (lower(u.email) = lower($1) or u.email_change = lower($1))
    and u.email_change <> '' and u.deleted_at is null
  order by lower(u.email) = lower($1) desc limit 1)"};

constexpr auto of_id = std::string_view{"from auth.users u where u.id = $1"};

constexpr auto insert_waiting = std::string_view{R"(
  insert into auth.users (id, email, encrypted_password, raw_app_meta_data,
    raw_user_meta_data)
  values ($1, lower($2), $3, '{"provider": "email", "providers": ["email"]}',
    $4::jsonb))"};

constexpr auto begin_change_again = std::string_view{R"(
  update auth.users set email_change_confirm_status = 0, updated_at = now()
  where id = $1)"};

[[nodiscard]] statement select_account(std::string_view from, std::string_view by) {
  return {"select " + std::string{account_columns} + " " + std::string{from},
          {std::string{by}}};
}

[[nodiscard]] result<std::optional<account>>
find_account(connection& db, std::string_view from, std::string_view by) {
  const auto found = db.run(select_account(from, by));
  if (!found)
    return std::unexpected{found.error()};
  return found->size() == 0 ? std::nullopt : std::optional{read_account(*found, 0)};
}

/// Runs `before` and the letters in one commit; the account as it is then.
[[nodiscard]] result<account> send(connection& db, const mail_rules& rules,
                                   user_id user, std::vector<statement> before,
                                   const std::vector<issue>& letters,
                                   const link_plan& plan) {
  for (auto& one : issue_codes(rules, letters, plan))
    before.push_back(std::move(one));
  before.push_back(select_account(of_id, user.str()));
  const auto done = db.run(before);
  if (!done)
    return std::unexpected{done.error()};
  if (done->back().size() == 0)
    return fail(errc::internal, "an account is gone while it is written to");
  return read_account(done->back(), 0);
}

[[nodiscard]] result<account> send_to(connection& db, const mail_rules& rules,
                                      const account& who, letter_kind kind,
                                      const link_plan& plan) {
  return send(db, rules, who.id, {}, {{who.id, kind, who.email, {}}}, plan);
}

/// A new account that waits, and its first letter; nullopt: the address was just taken.
[[nodiscard]] result<std::optional<account>>
add_waiting(connection& db, const mail_rules& rules, std::string_view email,
            const parameter& hash, const std::string& data, letter_kind kind,
            const link_plan& plan) {
  const auto id = user_id::make();
  auto made =
      send(db, rules, id,
           {{std::string{insert_waiting}, {id.str(), std::string{email}, hash, data}}},
           {{id, kind, std::string{email}, {}}}, plan);
  if (!made && made.error().code == errc::conflict)
    return std::nullopt;
  if (!made)
    return std::unexpected{std::move(made.error())};
  return std::move(*made);
}

/// The account of an address, or a new one that waits: `made` tells which.
struct known_or_made {
  account user;
  bool made = false;
};
[[nodiscard]] result<known_or_made>
find_or_add(connection& db, const mail_rules& rules, std::string_view email,
            const parameter& hash, const std::string& data, letter_kind kind,
            const link_plan& plan) {
  // The second turn finds who was faster.
  constexpr auto turns = 2;
  for (auto turn = 0; turn < turns; ++turn) {
    auto known = find_account(db, of_address, email);
    if (!known)
      return std::unexpected{std::move(known.error())};
    if (*known)
      return known_or_made{std::move(**known), false};
    auto made = add_waiting(db, rules, email, hash, data, kind, plan);
    if (!made)
      return std::unexpected{std::move(made.error())};
    if (*made)
      return known_or_made{std::move(**made), true};
  }
  return fail(errc::unavailable, "the address comes and goes");
}

/// What a sign-up with somebody's address is answered with.
[[nodiscard]] account make_up(const new_account& what) {
  const auto now =
      std::chrono::floor<timestamp::duration>(std::chrono::system_clock::now());
  auto made = account{};
  made.id = user_id::make();
  made.email = what.email;
  made.app_metadata = R"({"provider": "email", "providers": ["email"]})";
  made.user_metadata = what.data;
  made.created_at = now;
  made.updated_at = now;
  made.mail.confirmation_sent_at = now;
  return made;
}

[[nodiscard]] result<void> dropped(result<account> what) {
  return std::move(what).transform([](const account&) {});
}

} // namespace

result<pending_sign_up> sign_up_by_mail(connection& db, const mail_rules& rules,
                                        const new_account& what,
                                        const link_plan& plan) {
  if (auto may = claim_mail(db, rules, what.email, mail_reason::asked_by_anybody); !may)
    return std::unexpected{std::move(may.error())};
  auto hash = hash_password(what.password, cost_of(rules.auth));
  if (!hash)
    return std::unexpected{std::move(hash.error())};
  auto found = find_or_add(db, rules, what.email, std::move(*hash), what.data,
                           letter_kind::confirmation, plan);
  if (!found)
    return std::unexpected{std::move(found.error())};
  if (found->made)
    return pending_sign_up{std::move(found->user), false};
  if (found->user.email_confirmed_at)
    return waste_commit(db, what.email).transform([&] {
      return pending_sign_up{make_up(what), true};
    });
  return send_to(db, rules, found->user, letter_kind::confirmation, plan)
      .transform(
          [](account&& user) { return pending_sign_up{std::move(user), false}; });
}

result<void> request_sign_in(connection& db, const mail_rules& rules,
                             const sign_in_wish& what, const link_plan& plan) {
  const auto known = find_account(db, of_address, what.email);
  if (!known)
    return std::unexpected{known.error()};
  if (!*known && !what.create)
    return fail(errc::forbidden, "nobody has the address", "otp_disabled");
  if (!*known && !rules.auth.signup_enabled)
    return fail(errc::forbidden, "nobody has the address", "signup_disabled");
  if (auto may = claim_mail(db, rules, what.email, mail_reason::asked_by_anybody); !may)
    return may;
  // Without confirmations a magic link is one, for who has no password to confirm.
  const auto first =
      rules.auth.autoconfirm ? letter_kind::magic_link : letter_kind::confirmation;
  const auto found =
      find_or_add(db, rules, what.email, std::nullopt, what.data, first, plan);
  if (!found)
    return std::unexpected{found.error()};
  if (found->made)
    return {};
  const auto kind = found->user.email_confirmed_at ? letter_kind::magic_link : first;
  return dropped(send_to(db, rules, found->user, kind, plan));
}

result<void> request_recovery(connection& db, const mail_rules& rules,
                              std::string_view email, const link_plan& plan) {
  if (auto may = claim_mail(db, rules, email, mail_reason::asked_by_anybody); !may)
    return may;
  const auto known = find_account(db, of_address, email);
  if (!known)
    return std::unexpected{known.error()};
  if (!*known)
    return waste_commit(db, email);
  return dropped(send_to(db, rules, **known, letter_kind::recovery, plan));
}

result<void> resend(connection& db, const mail_rules& rules, std::string_view email,
                    bool change, const link_plan& plan) {
  if (auto may = claim_mail(db, rules, email, mail_reason::asked_by_anybody); !may)
    return may;
  const auto known = find_account(db, change ? of_change : of_address, email);
  if (!known)
    return std::unexpected{known.error()};
  if (!*known || (!change && (*known)->email_confirmed_at))
    return waste_commit(db, email);
  const auto& who = **known;
  if (!change)
    return dropped(send_to(db, rules, who, letter_kind::confirmation, plan));
  return dropped(
      send(db, rules, who.id, {{std::string{begin_change_again}, {who.id.str()}}},
           change_letters(rules, who.id, who.email, who.mail.new_email), plan));
}

result<account> invite(connection& db, const mail_rules& rules, std::string_view email,
                       const std::string& data, const link_plan& plan) {
  if (auto may = claim_mail(db, rules, email, mail_reason::invite); !may)
    return std::unexpected{std::move(may.error())};
  auto found =
      find_or_add(db, rules, email, std::nullopt, data, letter_kind::invite, plan);
  if (!found)
    return std::unexpected{std::move(found.error())};
  if (found->made)
    return std::move(found->user);
  if (found->user.email_confirmed_at)
    return fail(errc::conflict, "the address is an account's", "email_exists");
  return send_to(db, rules, found->user, letter_kind::invite, plan);
}

result<void> request_reauthentication(connection& db, const mail_rules& rules,
                                      user_id user, auth_session_id session) {
  const auto known = find_user(db, user, session);
  if (!known)
    return std::unexpected{known.error()};
  if (known->email.empty())
    return fail(errc::invalid_input,
                "Reauthentication requires the user to have an email or a phone number",
                "validation_failed");
  if (!known->email_confirmed_at)
    return fail(errc::invalid_input, "the address is not confirmed",
                "email_unconfirmed");
  if (auto may = claim_mail(db, rules, known->email, mail_reason::reauthentication);
      !may)
    return may;
  return dropped(send_to(db, rules, *known, letter_kind::reauthentication, {}));
}

std::vector<issue> change_letters(const mail_rules& rules, user_id user,
                                  std::string_view current,
                                  std::string_view new_email) {
  auto letters = std::vector<issue>{};
  if (rules.auth.secure_email_change && !current.empty())
    letters.push_back({user, letter_kind::email_change_current, std::string{current},
                       std::string{new_email}});
  letters.push_back({user, letter_kind::email_change_new, std::string{new_email},
                     std::string{new_email}});
  return letters;
}

} // namespace jessica::storage
