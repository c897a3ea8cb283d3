#include "wire/problem.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

#include <string>
#include <vector>

TEST_SUITE_BEGIN("wire.auth_problem");

namespace jessica::wire {
namespace {

/// A row of the API's table.
struct row {
  errc code = errc::internal;
  std::string reason;
  std::string what;
  int status = 0;
  std::string answer; ///< the code the client sees
  std::string message;
};

[[nodiscard]] const auto& table() {
  static const auto rows = std::vector<row>{
      {errc::invalid_input, "bad_json", "syntax error", 400, "bad_json",
       "Could not parse request body as JSON: syntax error"},
      {errc::invalid_input, "validation_failed", "Signup requires a valid password",
       400, "validation_failed", "Signup requires a valid password"},
      {errc::invalid_input, "weak_password:length",
       "Password should be at least 6 characters.", 422, "weak_password",
       "Password should be at least 6 characters."},
      {errc::forbidden, "anonymous_without_email", "x", 422, "validation_failed",
       "Updating password of an anonymous user without an email or phone is not "
       "allowed"},
      {errc::forbidden, "app_metadata_refused", "x", 403, "not_admin",
       "Updating app_metadata requires admin privileges"},
      {errc::invalid_input, "current_password_required", "x", 400,
       "current_password_required",
       "Current password required when setting new password."},
      {errc::invalid_input, "current_password_invalid", "x", 400,
       "current_password_invalid",
       "Current password required when setting new password."},
      {errc::unauthenticated, "session_inactive", "x", 400, "session_expired",
       "Invalid Refresh Token: Session Expired (Inactivity)"},
      {errc::overloaded, "over_request_rate_limit", "x", 429, "over_request_rate_limit",
       "Request rate limit reached"},
      {errc::conflict, "user_already_exists", "x", 422, "user_already_exists",
       "User already registered"},
      {errc::forbidden, "signup_disabled", "x", 422, "signup_disabled",
       "Signups not allowed for this instance"},
      {errc::forbidden, "anonymous_provider_disabled", "x", 422,
       "anonymous_provider_disabled", "Anonymous sign-ins are disabled"},
      {errc::unauthenticated, "invalid_credentials", "x", 400, "invalid_credentials",
       "Invalid login credentials"},
      {errc::forbidden, "email_not_confirmed", "x", 400, "email_not_confirmed",
       "Email not confirmed"},
      {errc::forbidden, "user_banned", "x", 403, "user_banned", "User is banned"},
      {errc::forbidden, "sign_in_banned", "x", 400, "user_banned", "User is banned"},
      {errc::unauthenticated, "user_banned", "x", 400, "user_banned",
       "Invalid Refresh Token: User Banned"},
      {errc::invalid_input, "unsupported_grant_type", "x", 400, "invalid_credentials",
       "unsupported_grant_type"},
      {errc::unauthenticated, "", "x", 401, "no_authorization",
       "This endpoint requires a valid Bearer token"},
      {errc::unauthenticated, "no_bearer", "x", 401, "no_authorization",
       "This endpoint requires a valid Bearer token"},
      {errc::unauthenticated, "no_user", "x", 403, "bad_jwt",
       "invalid claim: missing sub claim"},
      {errc::unauthenticated, "claims", "missing sub claim", 403, "bad_jwt",
       "invalid claim: missing sub claim"},
      {errc::unauthenticated, "expired", "x", 403, "bad_jwt",
       "invalid JWT: unable to parse or verify signature, token has invalid claims: "
       "token is expired"},
      {errc::unauthenticated, "not_yet_valid", "x", 403, "bad_jwt",
       "invalid JWT: unable to parse or verify signature, token has invalid claims: "
       "token is not valid yet"},
      {errc::unauthenticated, "signature", "x", 403, "bad_jwt",
       "invalid JWT: unable to parse or verify signature, token signature is invalid: "
       "signature is invalid"},
      {errc::unauthenticated, "malformed", "x", 403, "bad_jwt",
       "invalid JWT: unable to parse or verify signature, token is malformed: token "
       "could not be decoded"},
      {errc::unauthenticated, "api_key", "x", 401, "api_key", "Invalid API key"},
      {errc::forbidden, "user_not_found", "x", 403, "user_not_found",
       "User from sub claim in JWT does not exist"},
      {errc::not_found, "user_not_found", "x", 404, "user_not_found", "User not found"},
      {errc::forbidden, "session_not_found", "x", 403, "session_not_found",
       "Session from session_id claim in JWT does not exist"},
      {errc::unauthenticated, "session_not_found", "x", 400, "session_not_found",
       "Invalid Refresh Token: No Valid Session Found"},
      {errc::unauthenticated, "refresh_token_not_found", "x", 400,
       "refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found"},
      {errc::unauthenticated, "refresh_token_already_used", "x", 400,
       "refresh_token_already_used", "Invalid Refresh Token: Already Used"},
      {errc::unauthenticated, "session_expired", "x", 400, "session_expired",
       "Invalid Refresh Token: Session Expired"},
      {errc::conflict, "conflict", "x", 409, "conflict",
       "Another request is using this session"},
      {errc::forbidden, "not_admin", "x", 403, "not_admin", "User not allowed"},
      {errc::conflict, "email_exists", "x", 422, "email_exists",
       "A user with this email address has already been registered"},
      {errc::invalid_input, "same_password", "x", 422, "same_password",
       "New password should be different from the old password."},
      {errc::forbidden, "otp_expired", "x", 403, "otp_expired",
       "Token has expired or is invalid"},
      {errc::forbidden, "email_provider_disabled", "x", 422, "email_provider_disabled",
       "Login with magic link is disabled"},
      {errc::invalid_input, "phone_provider_disabled", "x", 400,
       "phone_provider_disabled", "Phone signups are disabled"},
      {errc::forbidden, "phone_provider_disabled", "x", 422, "phone_provider_disabled",
       "Phone logins are disabled"},
      {errc::invalid_input, "method_not_allowed", "x", 405, "method_not_allowed",
       "Method not allowed"},
      {errc::too_large, "", "x", 413, "request_entity_too_large",
       "Request body is too large"},
      {errc::overloaded, "", "x", 429, "over_request_rate_limit",
       "Request rate limit reached"},
      {errc::unavailable, "", "x", 503, "unavailable",
       "Service temporarily unavailable"},
      {errc::timeout, "", "x", 504, "request_timeout",
       "Processing this request timed out"},
      {errc::internal, "", "x", 500, "unexpected_failure", "Unexpected failure"},
      {errc::not_found, "manual_linking_disabled", "x", 404, "manual_linking_disabled",
       "Not found"},
  };
  return rows;
}

[[nodiscard]] problem answer(const row& to, bool versioned) {
  return auth_problem({to.code, to.what, to.reason, nullptr}, versioned);
}

[[nodiscard]] boost::json::object body_of(const problem& made) {
  return boost::json::parse(made.body).as_object();
}

[[nodiscard]] std::string header_of(const problem& made, std::string_view name) {
  for (const auto& [key, value] : made.headers) {
    if (key == name)
      return value;
  }
  return {};
}

TEST_CASE("a client that names the API version gets code and message, and the echo") {
  for (const auto& to : table()) {
    CAPTURE(to.reason);
    CAPTURE(name(to.code));
    const auto made = answer(to, true);
    const auto body = body_of(made);
    CHECK(made.status == to.status);
    CHECK(body.at("code").as_string() == to.answer);
    CHECK(body.at("message").as_string() == to.message);
    CHECK_FALSE(body.contains("msg"));
    CHECK(header_of(made, "X-Supabase-Api-Version") == "2024-01-01");
    CHECK(header_of(made, "X-Sb-Error-Code").empty());
  }
}

TEST_CASE("an older client gets status, error_code and msg, and the code as header") {
  for (const auto& to : table()) {
    CAPTURE(to.reason);
    CAPTURE(name(to.code));
    const auto made = answer(to, false);
    const auto body = body_of(made);
    CHECK(made.status == to.status);
    CHECK(body.at("code").as_int64() == to.status);
    CHECK(body.at("error_code").as_string() == to.answer);
    CHECK(body.at("msg").as_string() == to.message);
    CHECK_FALSE(body.contains("message"));
    CHECK(header_of(made, "X-Sb-Error-Code") == to.answer);
    CHECK(header_of(made, "X-Supabase-Api-Version").empty());
  }
}

TEST_CASE("a weak password carries its reasons in both shapes, other errors none") {
  for (const auto& to : table()) {
    CAPTURE(to.reason);
    for (const auto versioned : {true, false}) {
      const auto body = body_of(answer(to, versioned));
      const auto weak = to.reason == "weak_password:length";
      CHECK(body.contains("weak_password") == weak);
      if (weak)
        CHECK(body.at("weak_password") ==
              boost::json::value{{"reasons", boost::json::array{"length"}}});
    }
  }
}

TEST_CASE("a client's mistake is never a 5xx, which the client would retry") {
  for (const auto& to : table()) {
    CAPTURE(to.reason);
    const auto ours = to.code == errc::unavailable || to.code == errc::timeout ||
                      to.code == errc::internal;
    CHECK((answer(to, true).status >= 500) == ours);
  }
}

TEST_CASE("a missing refresh token is told in OAuth's shape") {
  for (const auto versioned : {true, false}) {
    const auto made = auth_problem(
        {errc::invalid_input, "x", "refresh_token_required", nullptr}, versioned);
    CHECK(made.status == 400);
    CHECK(made.body == R"({"error":"invalid_request",)"
                       R"("error_description":"refresh_token required"})");
  }
}

} // namespace
} // namespace jessica::wire

TEST_SUITE_END();
