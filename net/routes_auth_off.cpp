// /auth/v1: the features that are off. What needs e-mail, telephones or foreign
// providers says so in the words the client knows.
#include "net/routes.hpp"
#include "wire/json_reader.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace jessica::net {

namespace {

/// Status, code and message that the client knows a missing feature by.
struct missing_feature {
  int status;
  std::string_view code;
  std::string_view message;
};
constexpr auto linking =
    missing_feature{404, "manual_linking_disabled", "Manual linking is disabled"};
constexpr auto oauth =
    missing_feature{404, "feature_disabled", "OAuth server is disabled"};
constexpr auto saml =
    missing_feature{404, "saml_provider_disabled", "SAML 2.0 is disabled"};
constexpr auto passkeys =
    missing_feature{404, "passkey_disabled", "Passkeys are disabled"};
constexpr auto factors = missing_feature{422, "mfa_totp_enroll_not_enabled",
                                         "MFA enroll is disabled for TOTP"};
constexpr auto codes =
    missing_feature{403, "otp_expired", "Token has expired or is invalid"};
constexpr auto providers = missing_feature{
    400, "validation_failed", "Unsupported provider: provider is not enabled"};

template <const missing_feature& Feature> answering off(const admitted& what, call) {
  co_return refuse(refusal{Feature.status, Feature.code, std::string{Feature.message}},
                   what.request);
}

/// The texts by which a body names somebody; empty: not given.
struct contact {
  std::string email;
  std::string phone;
};
[[nodiscard]] result<contact> contact_of(std::string_view body) {
  const auto object = wire::parse_object(body);
  if (!object)
    return std::unexpected{object.error()};
  const auto fields = wire::json_reader{*object};
  auto email = fields.text("email");
  if (!email)
    return std::unexpected{std::move(email.error())};
  auto phone = fields.text("phone");
  if (!phone)
    return std::unexpected{std::move(phone.error())};
  return contact{std::move(*email).value_or(""), std::move(*phone).value_or("")};
}

[[nodiscard]] bool only_phone(const contact& who) {
  return who.email.empty() && !who.phone.empty();
}

answering one_time_code(const admitted& what, call) {
  const auto who = contact_of(what.request.body);
  if (!who)
    co_return refuse(who.error(), what.request, false);
  if (only_phone(*who))
    co_return refuse_for("phone_provider_disabled", errc::forbidden, what.request);
  if (who->email.empty())
    co_return refuse(
        refusal{400, "validation_failed", "One of email or phone must be set"},
        what.request);
  co_return refuse_for("email_provider_disabled", errc::forbidden, what.request);
}

/// Answers alike for known and unknown addresses; without e-mail nothing is sent.
answering recover(const admitted& what, call) {
  const auto who = contact_of(what.request.body);
  if (!who)
    co_return refuse(who.error(), what.request, false);
  if (who->email.empty())
    co_return refuse(
        refusal{400, "validation_failed", "Password recovery requires an email"},
        what.request);
  co_return json_response(200, "{}");
}

answering resend(const admitted& what, call) {
  const auto who = contact_of(what.request.body);
  if (!who)
    co_return refuse(who.error(), what.request, false);
  if (only_phone(*who))
    co_return refuse_for("phone_provider_disabled", errc::invalid_input, what.request);
  co_return json_response(200, "{}");
}

answering reauthenticate(const admitted& what, call) {
  if (what.who.email.empty())
    co_return refuse(refusal{400, "validation_failed",
                             "Reauthentication requires the user to have an email or "
                             "a phone number"},
                     what.request);
  co_return refuse_for("email_provider_disabled", errc::forbidden, what.request);
}

[[nodiscard]] http_response not_yet(const http_request& asked) {
  return refuse(refusal{501, "not_implemented", "This is not available yet"}, asked);
}

answering change_user(const admitted& what, call) {
  co_return not_yet(what.request);
}

answering administer(const admitted& what, call) {
  if (what.who.role != db_role::service_role)
    co_return refuse_for("not_admin", errc::forbidden, what.request);
  co_return not_yet(what.request);
}

answering invite(const admitted& what, call) {
  co_return refuse_for(
      what.who.role == db_role::service_role ? "email_provider_disabled" : "not_admin",
      errc::forbidden, what.request);
}

constexpr auto routes = std::to_array<route>({
    {"PUT", "/auth/v1/user", caller::user, change_user},
    {"POST", "/auth/v1/otp", caller::key_holder, one_time_code},
    {"POST", "/auth/v1/recover", caller::key_holder, recover},
    {"POST", "/auth/v1/resend", caller::key_holder, resend},
    {"GET", "/auth/v1/reauthenticate", caller::user, reauthenticate},
    {"POST", "/auth/v1/invite", caller::principal, invite},
    // A link in an e-mail or a redirect of the browser brings no key.
    {"GET", "/auth/v1/verify", caller::anyone, off<codes>},
    {"POST", "/auth/v1/verify", caller::key_holder, off<codes>},
    {"GET", "/auth/v1/authorize", caller::anyone, off<providers>},
    {"*", "/auth/v1/sso*", caller::key_holder, off<saml>},
    {"*", "/auth/v1/user/identities*", caller::key_holder, off<linking>},
    {"*", "/auth/v1/passkeys*", caller::key_holder, off<passkeys>},
    {"*", "/auth/v1/oauth*", caller::key_holder, off<oauth>},
    {"*", "/auth/v1/admin/oauth*", caller::key_holder, off<oauth>},
    {"*", "/auth/v1/factors*", caller::key_holder, off<factors>},
    {"*", "/auth/v1/admin/*", caller::principal, administer},
});

} // namespace

std::span<const route> switched_off_auth_routes() {
  return routes;
}

} // namespace jessica::net
