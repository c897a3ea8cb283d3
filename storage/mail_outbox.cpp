#include "storage/mail_outbox.hpp"

#include <utility>

namespace jessica::storage {
namespace {

constexpr auto put = std::string_view{R"(
  insert into auth.mail_outbox (recipient, kind, sealed, expires_at)
  values ($1, $2, $3, now() + make_interval(secs => $4)))"};

// The lease is the due time: a node that dies leaves the letter to the next.
constexpr auto take = std::string_view{R"(
  update auth.mail_outbox m
  set attempts = attempts + 1, due_at = now() + make_interval(secs => $1)
  where m.id = (select id from auth.mail_outbox
    where settled_at is null and due_at <= now()
    order by due_at limit 1 for update skip locked)
  returning m.id, m.recipient, m.kind, m.attempts, m.expires_at <= now(), m.sealed)"};

constexpr auto settle = std::string_view{R"(
  update auth.mail_outbox set settled_at = now(), sent = $2, sealed = null
  where id = $1 and settled_at is null)"};

constexpr auto put_back = std::string_view{R"(
  update auth.mail_outbox set due_at = now() + make_interval(secs => $2 / 1000.0)
  where id = $1 and settled_at is null)"};

} // namespace

statement put_letter(const mail_rules& rules, const letter& what) {
  return {std::string{put},
          {what.to, std::string{name(what.kind)}, rules.key.seal(what),
           std::to_string(rules.auth.otp_lifetime.count())}};
}

result<std::optional<due_letter>> take_letter(connection& db, const mail_rules& rules,
                                              std::chrono::seconds lease) {
  const auto found = db.run({std::string{take}, {std::to_string(lease.count())}});
  if (!found)
    return std::unexpected{found.error()};
  if (found->size() == 0)
    return std::nullopt;
  return due_letter{.id = found->integer(0, 0),
                    .recipient = std::string{found->text(0, 1)},
                    .kind = std::string{found->text(0, 2)},
                    .attempt = found->integer(0, 3),
                    .expired = found->text(0, 4) == "t",
                    .content = rules.key.open(found->text(0, 5))};
}

result<void> settle_letter(connection& db, std::int64_t id, bool sent) {
  return db.run({std::string{settle}, {std::to_string(id), sent ? "true" : "false"}})
      .transform([](const rows&) {});
}

result<void> put_back_letter(connection& db, std::int64_t id,
                             std::chrono::milliseconds pause) {
  return db
      .run({std::string{put_back}, {std::to_string(id), std::to_string(pause.count())}})
      .transform([](const rows&) {});
}

} // namespace jessica::storage
