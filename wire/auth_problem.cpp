#include "wire/answer_table.hpp"
#include "wire/json_writer.hpp"
#include "wire/problem.hpp"

#include <array>
#include <ranges>
#include <string>
#include <utility>

namespace jessica::wire {
namespace {

constexpr auto api_version = "2024-01-01";

constexpr auto mail_limit = std::string_view{"over_email_send_rate_limit"};

/// An empty message means the error's own where the client may see it.
constexpr auto answers = std::to_array<answer_row>({
    {"bad_json", 400, "bad_json", ""},
    {"validation_failed", 400, "validation_failed", ""},
    {"anonymous_without_email", 422, "validation_failed",
     "Updating password of an anonymous user without an email or phone is not allowed"},
    {"app_metadata_refused", 403, "not_admin",
     "Updating app_metadata requires admin privileges"},
    {"current_password_required", 400, "current_password_required",
     "Current password required when setting new password."},
    {"current_password_invalid", 400, "current_password_invalid",
     "Current password required when setting new password."},
    {"user_already_exists", 422, "user_already_exists", "User already registered"},
    {"signup_disabled", 422, "signup_disabled",
     "Signups not allowed for this instance"},
    {"anonymous_provider_disabled", 422, "anonymous_provider_disabled",
     "Anonymous sign-ins are disabled"},
    {"email_provider_disabled", 422, "email_provider_disabled",
     "Login with magic link is disabled"},
    {"phone_provider_disabled", 400, "phone_provider_disabled",
     "Phone signups are disabled", errc::invalid_input},
    {"phone_provider_disabled", 422, "phone_provider_disabled",
     "Phone logins are disabled"},
    {"invalid_credentials", 400, "invalid_credentials", "Invalid login credentials"},
    {"unsupported_grant_type", 400, "invalid_credentials", "unsupported_grant_type"},
    {"email_not_confirmed", 400, "email_not_confirmed", "Email not confirmed"},
    {"user_banned", 400, "user_banned", "Invalid Refresh Token: User Banned",
     errc::unauthenticated},
    {"user_banned", 403, "user_banned", "User is banned"},
    {"sign_in_banned", 400, "user_banned", "User is banned"},
    {"refresh_token_not_found", 400, "refresh_token_not_found",
     "Invalid Refresh Token: Refresh Token Not Found"},
    {"refresh_token_already_used", 400, "refresh_token_already_used",
     "Invalid Refresh Token: Already Used"},
    {"session_expired", 400, "session_expired",
     "Invalid Refresh Token: Session Expired"},
    {"session_inactive", 400, "session_expired",
     "Invalid Refresh Token: Session Expired (Inactivity)"},
    {"session_not_found", 403, "session_not_found",
     "Session from session_id claim in JWT does not exist", errc::forbidden},
    {"session_not_found", 400, "session_not_found",
     "Invalid Refresh Token: No Valid Session Found"},
    {"user_not_found", 404, "user_not_found", "User not found", errc::not_found},
    {"user_not_found", 403, "user_not_found",
     "User from sub claim in JWT does not exist"},
    {"conflict", 409, "conflict", "Another request is using this session"},
    {"no_authorization", 401, "no_authorization",
     "This endpoint requires a valid Bearer token"},
    {"no_bearer", 401, "no_authorization",
     "This endpoint requires a valid Bearer token"},
    {"no_user", 403, "bad_jwt", "invalid claim: missing sub claim"},
    {"api_key", 401, "api_key", "Invalid API key"},
    {"not_admin", 403, "not_admin", "User not allowed"},
    {"email_exists", 422, "email_exists",
     "A user with this email address has already been registered"},
    {"same_password", 422, "same_password",
     "New password should be different from the old password."},
    {"email_unconfirmed", 422, "email_not_confirmed",
     "Please verify your email first."},
    {"otp_disabled", 422, "otp_disabled", "Signups not allowed for otp"},
    {"otp_link_expired", 403, "otp_expired", "Email link is invalid or has expired"},
    {"over_email_send_rate_limit", 429, "over_email_send_rate_limit", ""},
    {"flow_state_not_found", 404, "flow_state_not_found",
     "invalid flow state, no valid flow state found", errc::not_found},
    {"flow_state_not_found", 400, "flow_state_not_found", ""},
    {"flow_state_expired", 422, "flow_state_expired",
     "invalid flow state, flow state has expired"},
    {"bad_code_verifier", 400, "bad_code_verifier", ""},
    {"reauthentication_needed", 400, "reauthentication_needed",
     "Password update requires reauthentication"},
    {"reauthentication_not_valid", 422, "reauthentication_not_valid", ""},
    {"otp_expired", 403, "otp_expired", "Token has expired or is invalid"},
    {"method_not_allowed", 405, "method_not_allowed", "Method not allowed"},
    {"", 400, "validation_failed", "", errc::invalid_input},
    {"", 401, "no_authorization", "This endpoint requires a valid Bearer token",
     errc::unauthenticated},
    {"", 403, "forbidden", "Not allowed", errc::forbidden},
    {"", 404, "not_found", "Not found", errc::not_found},
    {"", 409, "conflict", "Conflict", errc::conflict},
    {"", 413, "request_entity_too_large", "Request body is too large", errc::too_large},
    {"", 429, "over_request_rate_limit", "Request rate limit reached",
     errc::overloaded},
    {"", 503, "unavailable", "Service temporarily unavailable", errc::unavailable},
    {"", 504, "request_timeout", "Processing this request timed out", errc::timeout},
    {"", 500, "unexpected_failure", "Unexpected failure", errc::internal},
});
static_assert(answers_every_code(answers));

/// What is not in the table is told by its reason.
[[nodiscard]] answer_row find_answer(const error& what) {
  auto row = answer_to(what, answers);
  if (row.reason.empty() && !what.reason.empty())
    row.code = what.reason;
  return row;
}

/// Why a token does not verify, in the words of the JWT library clients know.
[[nodiscard]] std::string token_text(const error& what) {
  if (what.reason == "claims")
    return "invalid claim: " + what.what;
  auto text = std::string{"invalid JWT: unable to parse or verify signature, "};
  if (what.reason == "expired")
    return text + "token has invalid claims: token is expired";
  if (what.reason == "not_yet_valid")
    return text + "token has invalid claims: token is not valid yet";
  if (what.reason == "signature")
    return text + "token signature is invalid: signature is invalid";
  return text + "token is malformed: token could not be decoded";
}

[[nodiscard]] std::string message_of(const error& what, const answer_row& found) {
  if (!found.message.empty())
    return std::string{found.message};
  if (what.reason == mail_limit) // says when
    return what.what;
  const auto own = std::string{shown(what, "Invalid request")};
  return found.code == "bad_json" ? "Could not parse request body as JSON: " + own
                                  : own;
}

[[nodiscard]] object_writer begin(int status, std::string_view code,
                                  std::string_view message, bool versioned) {
  auto body = object_writer{};
  if (versioned)
    body.text("code", code).text("message", message);
  else
    body.number("code", status).text("error_code", code).text("msg", message);
  return body;
}

[[nodiscard]] problem end(int status, std::string_view code, object_writer body,
                          bool versioned) {
  auto made = problem{status, body.done(), {}};
  if (versioned)
    made.headers.emplace_back("X-Supabase-Api-Version", api_version);
  else
    made.headers.emplace_back("X-Sb-Error-Code", code);
  return made;
}

[[nodiscard]] problem write(int status, std::string_view code, std::string_view message,
                            bool versioned) {
  return end(status, code, begin(status, code, message, versioned), versioned);
}

constexpr auto weak_password = std::string_view{"weak_password:"};

/// With the reasons that check_password put behind the colon.
[[nodiscard]] problem write_weak(const error& what, bool versioned) {
  constexpr auto status = 422;
  constexpr auto code = weak_password.substr(0, weak_password.size() - 1);
  auto reasons = std::string{};
  for (const auto word : std::views::split(
           std::string_view{what.reason}.substr(weak_password.size()), ',')) {
    reasons += reasons.empty() ? '[' : ',';
    append_quoted(reasons, std::string_view{word});
  }
  auto body = begin(status, code, what.what, versioned);
  body.json("weak_password", R"({"reasons":)" + reasons + "]}");
  return end(status, code, std::move(body), versioned);
}

} // namespace

problem auth_problem(const error& what, bool versioned) {
  if (what.reason == "refresh_token_required")
    return {
        400,
        R"({"error":"invalid_request","error_description":"refresh_token required"})",
        {}};
  if (what.reason == "no_api_key")
    return {401, R"({"message":"No API key found in request"})", {}};
  if (is_token_fault(what))
    return write(403, "bad_jwt", token_text(what), versioned);
  if (what.reason.starts_with(weak_password))
    return write_weak(what, versioned);
  const auto [status, code, message] = auth_words(what);
  auto made = write(status, code, message, versioned);
  if (what.reason != mail_limit) // a second is too short
    add_retry_after(made, what.code);
  return made;
}

auth_answer auth_words(const error& what) {
  const auto found = find_answer(what);
  return {found.status, std::string{found.code}, message_of(what, found)};
}

} // namespace jessica::wire
