// /auth/v1: the features that are off. What needs telephones or foreign providers
// says so in the words the client knows.
#include "net/routes.hpp"

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
constexpr auto providers = missing_feature{
    400, "validation_failed", "Unsupported provider: provider is not enabled"};

template <const missing_feature& Feature> answering off(const admitted& what, call) {
  co_return refuse(refusal{Feature.status, Feature.code, std::string{Feature.message}},
                   what.request);
}

/// What there is of administration is in routes_auth_admin.cpp.
answering administer(const admitted& what, call) {
  if (what.who.role != db_role::service_role)
    co_return refuse_for("not_admin", errc::forbidden, what.request);
  co_return refuse(
      refusal{404, "feature_disabled", "This part of administration is disabled"},
      what.request);
}

constexpr auto routes = std::to_array<route>({
    // A redirect of the browser brings no key.
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
