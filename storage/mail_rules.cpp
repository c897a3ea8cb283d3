#include "storage/mail_rules.hpp"

#include <array>
#include <format>
#include <string>

namespace jessica::storage {
namespace {

constexpr auto claim = std::string_view{R"(
  with claimed as (
    insert into auth.mail_times as t (address, reason) values (lower($1), $2)
    on conflict (address, reason) do update set asked_at = now()
      where t.asked_at <= now() - make_interval(secs => $3)
    returning 1
  )
  select (select count(*) from claimed),
    coalesce((select ceil(extract(epoch from t.asked_at - now())) + $3
      from auth.mail_times t where t.address = lower($1) and t.reason = $2), 0)::bigint,
    (select count(*) from auth.mail_outbox where created_at > now() - interval '1 hour'))"};

constexpr auto touch = std::string_view{
    "update auth.mail_times set asked_at = asked_at where address = lower($1)"};
constexpr auto forget =
    std::string_view{"delete from auth.mail_times where address = lower($1)"};

constexpr auto sweep_codes =
    std::string_view{"delete from auth.one_time_codes where expires_at < now()"};
constexpr auto sweep_flows = std::string_view{R"(
  delete from auth.flow_state
  where created_at < now() - make_interval(secs => $1)
    and coalesce(auth_code_issued_at < now() - make_interval(secs => $2), true))"};
constexpr auto sweep_times = std::string_view{R"(
  delete from auth.mail_times where asked_at < now() - make_interval(secs => $1))"};
constexpr auto sweep_letters = std::string_view{R"(
  delete from auth.mail_outbox
  where settled_at is not null and created_at < now() - interval '1 hour')"};

[[nodiscard]] std::unexpected<error> too_often(std::string what) {
  return fail(errc::overloaded, std::move(what), "over_email_send_rate_limit");
}

[[nodiscard]] std::string text_of(std::chrono::seconds time) {
  return std::to_string(time.count());
}

} // namespace

result<void> claim_mail(connection& db, const mail_rules& rules,
                        std::string_view address, std::string_view reason) {
  const auto pause =
      reason == mail_reason::invite ? std::chrono::seconds{0} : rules.mail.interval;
  const auto found =
      db.run({std::string{claim},
              {std::string{address}, std::string{reason}, text_of(pause)}});
  if (!found)
    return std::unexpected{found.error()};
  if (found->integer(0, 0) == 0)
    return too_often(
        std::format("For security purposes, you can only request this after "
                    "{} seconds.",
                    found->integer(0, 1)));
  if (static_cast<std::size_t>(found->integer(0, 2)) >= rules.mail.per_hour)
    return too_often("email rate limit exceeded");
  return {};
}

result<void> waste_commit(connection& db, std::string_view address) {
  return db.run({std::string{touch}, {std::string{address}}})
      .transform([](const rows&) {});
}

statement forget_mail_times(std::string_view address) {
  return {std::string{forget}, {std::string{address}}};
}

result<void> sweep_mail(connection& db, const mail_rules& rules) {
  // A flow without a code may still get one as long as its mail's link is good.
  const auto statements =
      std::array{statement{std::string{sweep_codes}, {}},
                 statement{std::string{sweep_flows},
                           {text_of(rules.auth.otp_lifetime + rules.auth.flow_lifetime),
                            text_of(2 * rules.auth.flow_lifetime)}},
                 statement{std::string{sweep_times}, {text_of(rules.mail.interval)}},
                 statement{std::string{sweep_letters}, {}}};
  return db.run(statements).transform([](const std::vector<rows>&) {});
}

} // namespace jessica::storage
