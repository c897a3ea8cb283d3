#include "wire/json_writer.hpp"
#include "wire/problem.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <ranges>
#include <string>
#include <utility>

namespace jessica::wire {
namespace {

constexpr auto api_version = "2024-01-01";

/// One row of the API's table; an empty message means the error's own where the
/// client may see it.
struct answer {
  std::string_view reason;
  int status = 500;
  std::string_view code;
  std::string_view message;
  std::optional<errc> only_for = {}; ///< when the same reason has two answers
};

constexpr auto by_reason = std::to_array<answer>({
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
    {"otp_expired", 403, "otp_expired", "Token has expired or is invalid"},
    {"method_not_allowed", 405, "method_not_allowed", "Method not allowed"},
});

[[nodiscard]] answer by_code(errc code) {
  switch (code) {
  case errc::invalid_input:
    return {"", 400, "validation_failed", ""};
  case errc::unauthenticated:
    return {"", 401, "no_authorization", "This endpoint requires a valid Bearer token"};
  case errc::forbidden:
    return {"", 403, "forbidden", "Not allowed"};
  case errc::not_found:
    return {"", 404, "not_found", "Not found"};
  case errc::conflict:
    return {"", 409, "conflict", "Conflict"};
  case errc::too_large:
    return {"", 413, "request_entity_too_large", "Request body is too large"};
  case errc::overloaded:
    return {"", 429, "over_request_rate_limit", "Request rate limit reached"};
  case errc::unavailable:
    return {"", 503, "unavailable", "Service temporarily unavailable"};
  case errc::timeout:
    return {"", 504, "request_timeout", "Processing this request timed out"};
  case errc::internal:
    break;
  }
  return {"", 500, "unexpected_failure", "Unexpected failure"};
}

[[nodiscard]] answer find_answer(const error& what) {
  const auto* found = std::ranges::find_if(by_reason, [&](const answer& row) {
    return row.reason == what.reason && (!row.only_for || *row.only_for == what.code);
  });
  if (found != by_reason.end())
    return *found;
  auto row = by_code(what.code);
  if (!what.reason.empty())
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

[[nodiscard]] std::string message_of(const error& what, const answer& found) {
  if (!found.message.empty())
    return std::string{found.message};
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
  const auto found = find_answer(what);
  auto made = write(found.status, found.code, message_of(what, found), versioned);
  add_retry_after(made, what.code);
  return made;
}

} // namespace jessica::wire
