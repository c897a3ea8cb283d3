// /auth/v1: what goes by e-mail. Without a mail mode the calls answer as a server whose
// e-mail is switched off.
#include "net/auth_mail.hpp"
#include "net/auth_request.hpp"
#include "net/routes.hpp"
#include "net/session_response.hpp"
#include "wire/auth_json.hpp"
#include "wire/mail_json.hpp"
#include "wire/redirect.hpp"

#include <array>
#include <optional>
#include <string>
#include <utility>

namespace jessica::net {

namespace {

[[nodiscard]] http_response no_mail(const http_request& asked) {
  return refuse_for("email_provider_disabled", errc::forbidden, asked);
}

/// `{}`, or why not.
[[nodiscard]] http_response noted(const result<actors::done>& answered,
                                  const http_request& asked) {
  return answered ? json_response(200, "{}") : refuse(answered.error(), asked, false);
}

/// Hands a request to CODES and waits for its answer.
template <class T, class Message>
boost::asio::awaitable<result<T>> ask_codes(call in, Message what) {
  return in.actors.ask<T>(in.with.codes, std::move(what),
                          in.with.settings.net.request_timeout);
}

answering sign_in_by_mail(const admitted& what, call in) {
  const auto& asked = what.request;
  if (auto no = over(paced::otp, asked, in.with))
    co_return std::move(*no);
  auto read = wire::read_otp(asked.body);
  if (!read)
    co_return refuse(read.error(), asked, false);
  if (!sends_mail(in.with.settings))
    co_return no_mail(asked);
  auto plan = plan_of(asked, in.with.settings, std::move(read->pkce));
  co_return noted(
      co_await ask_codes<actors::done>(
          in, actors::request_sign_in{{std::move(read->email), std::move(read->data),
                                       read->create_user},
                                      std::move(plan)}),
      asked);
}

answering recover(const admitted& what, call in) {
  const auto& asked = what.request;
  if (auto no = over(paced::recover, asked, in.with))
    co_return std::move(*no);
  auto read = wire::read_recover(asked.body);
  if (!read)
    co_return refuse(read.error(), asked, false);
  if (!sends_mail(in.with.settings)) // known or not: nothing is told
    co_return json_response(200, "{}");
  auto plan = plan_of(asked, in.with.settings, std::move(read->pkce));
  co_return noted(
      co_await ask_codes<actors::done>(
          in, actors::request_recovery{std::move(read->email), std::move(plan)}),
      asked);
}

answering resend(const admitted& what, call in) {
  const auto& asked = what.request;
  if (auto no = over(paced::resend, asked, in.with))
    co_return std::move(*no);
  auto read = wire::read_resend(asked.body);
  if (!read)
    co_return refuse(read.error(), asked, false);
  if (!sends_mail(in.with.settings))
    co_return json_response(200, "{}");
  auto plan = plan_of(asked, in.with.settings, std::move(read->pkce));
  co_return noted(co_await ask_codes<actors::done>(
                      in, actors::resend_mail{std::move(read->email), read->change,
                                              std::move(plan)}),
                  asked);
}

answering reauthenticate(const admitted& what, call in) {
  const auto& asked = what.request;
  if (sends_mail(in.with.settings))
    co_return noted(co_await ask_codes<actors::done>(
                        in, actors::reauthenticate{what.who.user, what.who.session}),
                    asked);
  if (what.who.email.empty())
    co_return refuse(refusal{400, "validation_failed",
                             "Reauthentication requires the user to have an email or "
                             "a phone number"},
                     asked);
  co_return no_mail(asked);
}

answering invite(const admitted& what, call in) {
  const auto& asked = what.request;
  if (what.who.role != db_role::service_role)
    co_return refuse_for("not_admin", errc::forbidden, asked);
  if (!sends_mail(in.with.settings))
    co_return no_mail(asked);
  auto read = wire::read_invite(asked.body);
  if (!read)
    co_return refuse(read.error(), asked, false);
  const auto invited = co_await ask_codes<account>(
      in, actors::invite_user{std::move(read->email), std::move(read->data),
                              plan_of(asked, in.with.settings, std::nullopt)});
  co_return invited ? json_response(200, wire::user_json(*invited))
                    : refuse(invited.error(), asked, false);
}

constexpr auto first_of_two = std::string_view{
    "Confirmation link accepted. Please proceed to confirm link sent to "
    "the other email"};

answering verify(const admitted& what, call in) {
  const auto& asked = what.request;
  if (auto no = over(paced::verify, asked, in.with))
    co_return std::move(*no);
  if (!sends_mail(in.with.settings))
    co_return refuse_for("otp_expired", errc::forbidden, asked);
  auto read = wire::read_verify(asked.body);
  if (!read)
    co_return refuse(read.error(), asked, false);
  auto done = co_await ask_codes<storage::redemption>(
      in, actors::redeem_code{std::move(*read), false, origin_of(asked)});
  if (!done)
    co_return refuse(done.error(), asked, false);
  if (!done->session)
    co_return json_response(200, R"({"msg":")" + std::string{first_of_two} +
                                     R"(","code":"200"})");
  co_return session_response(std::move(*done->session), asked, in.with);
}

[[nodiscard]] http_response redirect(std::string to) {
  auto answer = http_response{};
  answer.status = 303;
  answer.headers = {{"Location", std::move(to)}, {"Referrer-Policy", "no-referrer"}};
  return answer;
}

/// An error as the page behind the link is told: in the fragment, for an app that waits
/// for a code in the query, too.
[[nodiscard]] std::string with_error(std::string to, const error& why, bool in_query) {
  const auto told = refusal_of(why);
  auto values =
      wire::url_values{{"error_code", told.code}, {"error_description", told.message}};
  if (!told.oauth.empty())
    values.emplace_back("error", std::string{told.oauth});
  if (in_query)
    to = wire::with_query(to, values);
  values.emplace_back("sb", "");
  return wire::with_fragment(to, std::move(values));
}

[[nodiscard]] std::string with_session(std::string_view to,
                                       const session_grant& granted,
                                       const session_tokens& made,
                                       std::string_view type) {
  return wire::with_fragment(to, {{"access_token", made.access_token},
                                  {"expires_at", std::to_string(made.expires_at)},
                                  {"expires_in", std::to_string(made.expires_in)},
                                  {"refresh_token", granted.refresh_token},
                                  {"sb", ""},
                                  {"token_type", "bearer"},
                                  {"type", std::string{type}}});
}

/// The link of an e-mail. A HEAD is somebody's scanner: it must not use the link up.
answering follow_link(const admitted& what, call in) {
  const auto& asked = what.request;
  if (auto no = over(paced::verify, asked, in.with))
    co_return std::move(*no);
  const auto& settings = in.with.settings;
  if (!sends_mail(settings))
    co_return refuse_for("otp_expired", errc::forbidden, asked);
  const auto type = query_value(asked, "type");
  auto read = wire::read_link(query_value(asked, "token"), type);
  if (!read)
    co_return refuse(read.error(), asked, false);
  if (asked.method == "HEAD")
    co_return http_response{};
  auto to = destination_of(asked, settings);
  const auto for_app = read->secret.starts_with("pkce_");
  const auto done = co_await ask_codes<storage::redemption>(
      in, actors::redeem_code{std::move(*read), true, origin_of(asked)});
  if (!done)
    co_return redirect(with_error(std::move(to), done.error(), for_app));
  if (done->session) {
    const auto made = make_tokens(*done->session, in.with);
    co_return redirect(made ? with_session(to, *done->session, *made, type)
                            : with_error(std::move(to), made.error(), for_app));
  }
  if (!done->auth_code.empty())
    co_return redirect(wire::with_query(to, {{"code", done->auth_code}}));
  if (for_app)
    to = wire::with_query(to, {{"message", std::string{first_of_two}}});
  co_return redirect(
      wire::with_fragment(to, {{"message", std::string{first_of_two}}, {"sb", ""}}));
}

constexpr auto routes = std::to_array<route>({
    {"POST", "/auth/v1/otp", caller::key_holder, sign_in_by_mail},
    {"POST", "/auth/v1/recover", caller::key_holder, recover},
    {"POST", "/auth/v1/resend", caller::key_holder, resend},
    {"GET", "/auth/v1/reauthenticate", caller::user, reauthenticate},
    {"POST", "/auth/v1/invite", caller::principal, invite},
    // A link in an e-mail brings no key.
    {"GET", "/auth/v1/verify", caller::anyone, follow_link},
    {"POST", "/auth/v1/verify", caller::key_holder, verify},
});

} // namespace

std::span<const route> auth_mail_routes() {
  return routes;
}

} // namespace jessica::net
