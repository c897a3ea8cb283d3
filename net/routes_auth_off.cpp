// /auth/v1: the features that are off. What needs e-mail, telephones or foreign
// providers says so in the words the client knows.
#include "net/routes.hpp"
#include "wire/auth_json.hpp"

#include <array>
#include <optional>
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

/// Why a body that should name an e-mail address is refused; nullopt: it names one. It
/// is read as a sign-in is: telephones are off.
[[nodiscard]] std::optional<error> no_address(std::string_view body) {
  auto named = wire::read_password(body);
  return named ? std::nullopt : std::optional{std::move(named.error())};
}

answering one_time_code(const admitted& what, call) {
  if (const auto why = no_address(what.request.body))
    co_return refuse(*why, what.request, false);
  co_return refuse_for("email_provider_disabled", errc::forbidden, what.request);
}

/// Answers alike for known and unknown addresses; without e-mail nothing is sent.
answering recover(const admitted& what, call) {
  if (const auto why = no_address(what.request.body))
    co_return refuse(*why, what.request, false);
  co_return json_response(200, "{}");
}

/// As recover; a telephone is refused as its sign-up is.
answering resend(const admitted& what, call) {
  auto why = no_address(what.request.body);
  if (!why)
    co_return json_response(200, "{}");
  if (why->reason == "phone_provider_disabled")
    why->code = errc::invalid_input;
  co_return refuse(*why, what.request, false);
}

answering reauthenticate(const admitted& what, call) {
  if (what.who.email.empty())
    co_return refuse(refusal{400, "validation_failed",
                             "Reauthentication requires the user to have an email or "
                             "a phone number"},
                     what.request);
  co_return refuse_for("email_provider_disabled", errc::forbidden, what.request);
}

/// What there is of administration is in routes_auth_admin.cpp.
answering administer(const admitted& what, call) {
  if (what.who.role != db_role::service_role)
    co_return refuse_for("not_admin", errc::forbidden, what.request);
  co_return refuse(
      refusal{404, "feature_disabled", "This part of administration is disabled"},
      what.request);
}

answering invite(const admitted& what, call) {
  co_return refuse_for(
      what.who.role == db_role::service_role ? "email_provider_disabled" : "not_admin",
      errc::forbidden, what.request);
}

constexpr auto routes = std::to_array<route>({
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
