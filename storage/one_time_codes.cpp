#include "storage/one_time_codes.hpp"

#include "storage/flow_state.hpp"
#include "storage/mail_outbox.hpp"

#include <optional>
#include <utility>

namespace jessica::storage {
namespace {

constexpr auto put_code = std::string_view{R"(
  insert into auth.one_time_codes
    (user_id, kind, email, code_hash, token_hash, flow_id, expires_at)
  values ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7))
  on conflict (user_id, kind) do update set
    email = excluded.email, code_hash = excluded.code_hash,
    token_hash = excluded.token_hash, flow_id = excluded.flow_id, attempts = 0,
    created_at = now(), expires_at = excluded.expires_at)"};

constexpr auto note_confirmation = std::string_view{
    "update auth.users set confirmation_sent_at = now(), updated_at = now() "
    "where id = $1"};
constexpr auto note_invite = std::string_view{
    "update auth.users set confirmation_sent_at = now(), invited_at = now(), "
    "updated_at = now() where id = $1"};
constexpr auto note_recovery = std::string_view{
    "update auth.users set recovery_sent_at = now(), updated_at = now() where id = $1"};
constexpr auto note_change = std::string_view{
    "update auth.users set email_change_sent_at = now(), updated_at = now() "
    "where id = $1"};
constexpr auto note_reauthentication = std::string_view{
    "update auth.users set reauthentication_sent_at = now(), updated_at = now() "
    "where id = $1"};

/// What differs between the kinds of letters.
struct traits {
  std::string_view code;
  std::string_view method;
  std::string_view note;
};

[[nodiscard]] traits traits_of(letter_kind kind) noexcept {
  switch (kind) {
  case letter_kind::confirmation:
    return {"confirmation", "email/signup", note_confirmation};
  case letter_kind::invite:
    return {"confirmation", "invite", note_invite};
  case letter_kind::magic_link:
    return {"recovery", "magiclink", note_recovery};
  case letter_kind::recovery:
    return {"recovery", "recovery", note_recovery};
  case letter_kind::email_change_current:
    return {"email_change_current", "email_change", note_change};
  case letter_kind::email_change_new:
    return {"email_change_new", "email_change", note_change};
  case letter_kind::reauthentication:
    break;
  }
  return {"reauthentication", "reauthentication", note_reauthentication};
}

/// Code, letter and the account's trace of one letter.
void add_letter(std::vector<statement>& to, const mail_rules& rules, const issue& what,
                const link_plan& plan, const parameter& flow) {
  const auto as = traits_of(what.kind);
  const auto token = std::string{plan.pkce ? pkce_prefix : ""} + make_token();
  auto text = letter{.kind = what.kind,
                     .to = what.to,
                     .code = make_code(),
                     .token = token,
                     .verify_url = plan.verify_url,
                     .redirect_to = plan.redirect_to,
                     .new_email = what.new_email};
  if (what.kind == letter_kind::reauthentication)
    text.token.clear();
  to.push_back(
      {std::string{put_code},
       {what.user.str(), std::string{as.code}, what.to,
        rules.key.hash(what.user, as.code, what.to, text.code), hash_token(token), flow,
        std::to_string(rules.auth.otp_lifetime.count())}});
  to.push_back(put_letter(rules, text));
  to.push_back({std::string{as.note}, {what.user.str()}});
}

} // namespace

std::string_view code_kind(letter_kind what) noexcept {
  return traits_of(what).code;
}

std::string_view flow_method(letter_kind what) noexcept {
  return traits_of(what).method;
}

std::vector<statement> issue_codes(const mail_rules& rules,
                                   const std::vector<issue>& what,
                                   const link_plan& plan) {
  auto made = std::vector<statement>{};
  auto flow = parameter{};
  if (plan.pkce && !what.empty()) {
    flow = uuid::make().str();
    made.push_back(begin_flow(*flow, what.front().user, *plan.pkce,
                              flow_method(what.front().kind)));
  }
  for (const auto& one : what)
    add_letter(made, rules, one, plan, flow);
  return made;
}

} // namespace jessica::storage
