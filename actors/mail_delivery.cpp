#include "actors/mail_delivery.hpp"

#include "domain/ids.hpp"
#include "mail/letter_text.hpp"
#include "ops/log.hpp"
#include "ops/metrics.hpp"
#include "storage/mail_outbox.hpp"

#include <algorithm>
#include <string_view>

namespace jessica::actors {
namespace {

using storage::due_letter;

constexpr auto nobody = "jessica@localhost";

[[nodiscard]] ops::counter& sent() {
  static auto counted = ops::counter{"jessica_mail_sent_total", "E-mails handed over"};
  return counted;
}
[[nodiscard]] ops::counter& put_back() {
  static auto counted = ops::counter{"jessica_mail_delayed_total",
                                     "Deliveries that failed and are tried again"};
  return counted;
}
[[nodiscard]] ops::counter& given_up() {
  static auto counted =
      ops::counter{"jessica_mail_given_up_total", "E-mails that were not sent"};
  return counted;
}

void note_failure(const result<void>& stored, std::string_view event) {
  if (!stored)
    ops::warn(event, {{"cause", stored.error().what}});
}

void give_up(storage::connection& db, const due_letter& what, std::string_view why) {
  given_up().add();
  ops::error("mail.given_up", {{"recipient", what.recipient},
                               {"kind", what.kind},
                               {"attempts", what.attempt},
                               {"cause", why}});
  note_failure(storage::settle_letter(db, what.id, false), "mail.not_settled");
}

[[nodiscard]] result<void> hand_over(const storage::mail_rules& rules,
                                     const letter& what, mail::sender& to) {
  const auto from = mail::sender_name{
      rules.mail.from.empty() ? nobody : rules.mail.from, rules.mail.from_name};
  const auto now =
      std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const auto text = mail::word(what, from.name, rules.auth.otp_lifetime);
  const auto message = mail::compose(from, what, text, now, uuid::make().str());
  if (!message)
    return std::unexpected{message.error()};
  return to.send(*message);
}

void try_again(storage::connection& db, const storage::mail_rules& rules,
               const due_letter& what, const error& why) {
  const auto pause = pause_after(rules.mail.retry_after, what.attempt);
  put_back().add();
  ops::warn("mail.delayed", {{"recipient", what.recipient},
                             {"kind", what.kind},
                             {"attempts", what.attempt},
                             {"pause_ms", pause.count()},
                             {"cause", why.what}});
  note_failure(storage::put_back_letter(db, what.id, pause), "mail.not_put_back");
}

void deliver(storage::connection& db, const storage::mail_rules& rules,
             mail::sender& to, const due_letter& what) {
  if (!what.content)
    return give_up(db, what, "sealed with another key");
  if (what.expired)
    return give_up(db, what, "its code is too old");
  const auto handed = hand_over(rules, *what.content, to);
  if (!handed && handed.error().code != errc::invalid_input &&
      what.attempt < static_cast<std::int64_t>(rules.mail.attempts))
    return try_again(db, rules, what, handed.error());
  if (!handed)
    return give_up(db, what, handed.error().what);
  sent().add();
  ops::info(
      "mail.sent",
      {{"recipient", what.recipient}, {"kind", what.kind}, {"attempts", what.attempt}});
  note_failure(storage::settle_letter(db, what.id, true), "mail.not_settled");
}

} // namespace

std::chrono::milliseconds pause_after(std::chrono::milliseconds first,
                                      std::int64_t attempt) {
  constexpr auto longest = std::chrono::milliseconds{std::chrono::hours{1}};
  auto pause = first;
  for (auto at = std::int64_t{1}; at < attempt && pause < longest; ++at)
    pause *= 3;
  return std::min(pause, longest);
}

bool deliver_next(storage::connection& db, const storage::mail_rules& rules,
                  mail::sender& to) {
  constexpr auto slack = std::chrono::seconds{15};
  const auto due = storage::take_letter(
      db, rules, rules.mail.connect_timeout + rules.mail.timeout + slack);
  if (!due) {
    ops::warn("mail.not_taken", {{"cause", due.error().what}});
    return false;
  }
  if (!*due)
    return false;
  deliver(db, rules, to, **due);
  return true;
}

} // namespace jessica::actors
