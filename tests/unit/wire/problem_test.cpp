#include "wire/problem.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>

TEST_SUITE_BEGIN("wire.problem");

namespace jessica::wire {
namespace {

constexpr auto all_codes = std::array{
    errc::invalid_input, errc::unauthenticated, errc::forbidden,  errc::not_found,
    errc::conflict,      errc::too_large,       errc::overloaded, errc::unavailable,
    errc::timeout,       errc::internal};
constexpr auto token_reasons =
    std::array{"malformed", "signature", "expired", "not_yet_valid", "claims"};
/// A cause that only the log may show.
constexpr auto cause = "SECRET cause";

[[nodiscard]] error failure(errc code, std::string reason = {},
                            std::string what = cause) {
  return {code, std::move(what), std::move(reason), nullptr};
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

/// Status and body, as a test writes them.
struct shape {
  int status = 0;
  std::string body;
  friend bool operator==(const shape&, const shape&) = default;
};
[[nodiscard]] shape shape_of(const problem& made) {
  return {made.status, made.body};
}

[[nodiscard]] shape functions(errc code, std::string reason = {},
                              std::string what = cause) {
  return shape_of(function_problem(failure(code, std::move(reason), std::move(what))));
}

[[nodiscard]] shape upgrade(errc code, std::string reason = {}) {
  return shape_of(upgrade_problem(failure(code, std::move(reason))));
}

[[nodiscard]] std::string channel(errc code, std::string reason = {},
                                  std::string what = cause) {
  return channel_reason(failure(code, std::move(reason), std::move(what)), "room:1");
}

// --- rules of all APIs ---------------------------------------------------------------

TEST_CASE("what went wrong inside is told to nobody") {
  for (const auto code :
       {errc::unauthenticated, errc::forbidden, errc::not_found, errc::overloaded,
        errc::unavailable, errc::timeout, errc::internal}) {
    CAPTURE(name(code));
    const auto what = failure(code);
    for (const auto& body :
         {auth_problem(what, true).body, auth_problem(what, false).body,
          rest_problem(what, true).body, function_problem(what).body,
          upgrade_problem(what).body, channel_reason(what, "room:1")})
      CHECK_FALSE(body.contains(cause));
  }
}

TEST_CASE("outside REST nobody sees PostgreSQL's words") {
  auto what = failure(errc::invalid_input);
  what.sql = std::make_shared<sql_fault>("22P02", cause, cause, cause);
  for (const auto& body : {auth_problem(what, true).body,
                           auth_problem(what, false).body, function_problem(what).body,
                           upgrade_problem(what).body, channel_reason(what, "room:1")})
    CHECK_FALSE(body.contains(cause));
}

TEST_CASE("every code of every API has a JSON body and an error status") {
  for (const auto code : all_codes) {
    CAPTURE(name(code));
    const auto what = failure(code);
    for (const auto& made :
         {auth_problem(what, true), auth_problem(what, false), rest_problem(what, true),
          rest_problem(what, false), function_problem(what), upgrade_problem(what)}) {
      CHECK(made.status >= 400);
      CHECK(made.status <= 504);
      CHECK_FALSE(body_of(made).empty());
    }
    CHECK_FALSE(channel_reason(what, "room:1").empty());
  }
}

TEST_CASE("whoever may come back is told when") {
  for (const auto code : all_codes) {
    CAPTURE(name(code));
    const auto may =
        code == errc::overloaded || code == errc::unavailable || code == errc::timeout;
    const auto expected = std::string{may ? "1" : ""};
    const auto what = failure(code);
    CHECK(header_of(auth_problem(what, true), "Retry-After") == expected);
    CHECK(header_of(rest_problem(what, true), "Retry-After") == expected);
    CHECK(header_of(function_problem(what), "Retry-After") == expected);
    CHECK(header_of(upgrade_problem(what), "Retry-After") == expected);
  }
}

TEST_CASE("a missing API key is told in the gateway's words") {
  const auto what = failure(errc::unauthenticated, "no_api_key");
  const auto expected = shape{401, R"({"message":"No API key found in request"})"};
  CHECK(shape_of(auth_problem(what, true)) == expected);
  CHECK(shape_of(auth_problem(what, false)) == expected);
  CHECK(shape_of(rest_problem(what, false)) == expected);
  CHECK(shape_of(function_problem(what)) == expected);
}

TEST_CASE("text of a client is escaped in every body") {
  const auto what = failure(errc::invalid_input, "validation_failed", "bad \"x\"\n");
  CHECK(body_of(auth_problem(what, true)).at("message").as_string() == "bad \"x\"\n");
  CHECK(body_of(function_problem(what)).at("message").as_string() == "bad \"x\"\n");
  CHECK(body_of(upgrade_problem(what)).at("error").as_string() == "bad \"x\"\n");
}

// --- functions -----------------------------------------------------------------------

TEST_CASE("functions: the platform's own codes") {
  CHECK(functions(errc::unauthenticated) ==
        shape{401, R"({"code":"UNAUTHORIZED_NO_AUTH_HEADER",)"
                   R"("message":"Missing authorization header"})"});
  CHECK(functions(errc::unauthenticated, "no_bearer") ==
        functions(errc::unauthenticated));
  for (const auto* reason : token_reasons)
    CHECK(functions(errc::unauthenticated, reason) ==
          shape{401, R"({"code":"UNAUTHORIZED_INVALID_JWT","message":"Invalid JWT"})"});
  CHECK(functions(errc::unauthenticated, "no_user").status == 401);
  CHECK(functions(errc::unauthenticated, "api_key") ==
        shape{401, R"({"code":"api_key","message":"Invalid API key"})"});
  CHECK(functions(errc::not_found) ==
        shape{404,
              R"({"code":"NOT_FOUND","message":"Requested function was not found"})"});
}

TEST_CASE("functions: a client's mistake is told, with its reason as code") {
  CHECK(functions(errc::invalid_input, "", "content is required") ==
        shape{400, R"({"code":"invalid_input","message":"content is required"})"});
  CHECK(functions(errc::invalid_input, "validation_failed", "x").body ==
        R"({"code":"validation_failed","message":"x"})");
  CHECK(functions(errc::too_large, "message_too_large", "at most 5 bytes") ==
        shape{413, R"({"code":"message_too_large","message":"at most 5 bytes"})"});
  CHECK(functions(errc::conflict, "", "taken") ==
        shape{409, R"({"code":"conflict","message":"taken"})"});
  CHECK(functions(errc::invalid_input, "method_not_allowed", "").status == 405);
}

TEST_CASE("functions: what is missing is named by its reason") {
  CHECK(functions(errc::not_found, "conversation_not_found") ==
        shape{404,
              R"({"code":"conversation_not_found","message":"No such conversation"})"});
  CHECK(functions(errc::not_found, "something_else").body ==
        R"({"code":"something_else","message":"Not found"})");
  CHECK(functions(errc::not_found, "route_not_found").status == 404);
}

TEST_CASE("functions: faults of the platform are marked as relay errors") {
  CHECK(functions(errc::overloaded).status == 429);
  CHECK(functions(errc::unavailable).status == 503);
  CHECK(functions(errc::timeout).status == 504);
  CHECK(functions(errc::internal) ==
        shape{500, R"({"code":"internal","message":"Internal error"})"});
  for (const auto code : all_codes) {
    CAPTURE(name(code));
    const auto relay =
        code == errc::overloaded || code == errc::unavailable || code == errc::timeout;
    CHECK(header_of(function_problem(failure(code)), "X-Relay-Error") ==
          (relay ? "true" : ""));
  }
}

// --- the upgrade of Realtime ---------------------------------------------------------

TEST_CASE("upgrade: the exact texts") {
  CHECK(upgrade(errc::unauthenticated, "no_api_key") ==
        shape{401, R"({"error":"API key is missing"})"});
  CHECK(upgrade(errc::unauthenticated, "expired") ==
        shape{401, R"({"error":"Token has expired"})"});
  CHECK(upgrade(errc::unauthenticated, "malformed") ==
        shape{401, R"({"error":"The token provided is not a valid JWT"})"});
  CHECK(upgrade(errc::unauthenticated, "signature") ==
        shape{401, R"({"error":"Failed to validate JWT signature"})"});
  CHECK(upgrade(errc::unauthenticated, "claims") ==
        shape{401, R"({"error":"Fields `role` and `exp` are required in JWT"})"});
  CHECK(upgrade(errc::unauthenticated, "api_key") ==
        shape{401, R"({"error":"Invalid API key"})"});
  CHECK(upgrade(errc::overloaded) ==
        shape{429, R"({"error":"Too many connected users"})"});
  CHECK(upgrade(errc::forbidden).status == 403);
  CHECK(upgrade(errc::unavailable).status == 503);
}

// --- channels ------------------------------------------------------------------------

TEST_CASE("channel: the exact texts") {
  CHECK(channel(errc::forbidden) ==
        "Unauthorized: You do not have permissions to read from this Channel topic: "
        "room:1");
  CHECK(channel(errc::unauthenticated, "expired", "Token has expired 5 seconds ago") ==
        "InvalidJWTToken: Token has expired 5 seconds ago");
  CHECK(channel(errc::unauthenticated, "claims") ==
        "InvalidJWTToken: Fields `role` and `exp` are required in JWT");
  CHECK(channel(errc::unauthenticated, "malformed") ==
        "MalformedJWT: The token provided is not a valid JWT");
  CHECK(channel(errc::unauthenticated, "signature") ==
        "JwtSignatureError: Failed to validate JWT signature");
  CHECK(channel(errc::overloaded, "too_many_channels") ==
        "ChannelRateLimitReached: Too many channels");
  CHECK(channel(errc::overloaded, "too_many_joins") ==
        "ClientJoinRateLimitReached: Too many joins per second");
  CHECK(channel(errc::overloaded, "too_many_connections") ==
        "ConnectionRateLimitReached: Too many connected users");
  CHECK(channel(errc::forbidden, "private_only") ==
        "PrivateOnly: This project only allows private channels");
  CHECK(channel(errc::unavailable, "restarting") ==
        "RealtimeRestarting: Realtime is restarting, please standby");
  CHECK(channel(errc::unavailable).starts_with("UnableToConnectToProject: "));
  CHECK(channel(errc::timeout).starts_with("UnableToConnectToProject: "));
}

TEST_CASE("channel: what a refused push is answered with") {
  CHECK(channel(errc::forbidden, "write_denied") == "unauthorized");
  CHECK(channel(errc::too_large) == "payload_size_exceeded");
  CHECK(channel(errc::too_large, "message_too_large", "at most 5") == "at most 5");
  CHECK(channel(errc::invalid_input, "", "event must be a string") ==
        "event must be a string");
  CHECK(channel(errc::invalid_input, "unmatched_topic") == "unmatched topic");
}

// --- the page that explains all this -------------------------------------------------

[[nodiscard]] std::string error_page() {
  const auto root = std::filesystem::path{TEST_SOURCE_DIR} / "..";
  auto file = std::ifstream{root / "docs/errors.md"};
  return {std::istreambuf_iterator{file}, {}};
}

TEST_CASE("docs/errors.md has a row for every code") {
  const auto page = error_page();
  REQUIRE_FALSE(page.empty());
  for (const auto code : all_codes) {
    CAPTURE(name(code));
    CHECK(page.contains("| `" + std::string{name(code)} + "` |"));
  }
}

TEST_CASE("docs/errors.md gives the statuses that are sent") {
  const auto page = error_page();
  for (const auto code : all_codes) {
    const auto what = failure(code);
    const auto row_at = page.find("| `" + std::string{name(code)} + "` |");
    REQUIRE(row_at != std::string::npos);
    const auto row = page.substr(row_at, page.find('\n', row_at) - row_at);
    for (const auto& made : {auth_problem(what, true), function_problem(what)}) {
      const auto words = std::to_string(made.status) + " `" +
                         std::string{body_of(made).at("code").as_string()} + "`";
      CAPTURE(words);
      CHECK(row.contains("| " + words + " |"));
    }
    const auto rest = rest_problem(what, true);
    CHECK(row.contains(std::to_string(rest.status) + " `" +
                       std::string{body_of(rest).at("code").as_string()} + "`"));
    CHECK(row.ends_with("| " + std::to_string(upgrade_problem(what).status) + " |"));
  }
}

TEST_CASE("docs/errors.md names every stable reason") {
  const auto page = error_page();
  for (const auto* reason : {"malformed",
                             "signature",
                             "expired",
                             "not_yet_valid",
                             "claims",
                             "no_api_key",
                             "api_key",
                             "no_bearer",
                             "no_user",
                             "bad_json",
                             "validation_failed",
                             "weak_password",
                             "phone_provider_disabled",
                             "invalid_credentials",
                             "refresh_token_required",
                             "refresh_token_not_found",
                             "refresh_token_already_used",
                             "session_expired",
                             "session_not_found",
                             "user_not_found",
                             "user_banned",
                             "sign_in_banned",
                             "user_already_exists",
                             "email_exists",
                             "same_password",
                             "signup_disabled",
                             "anonymous_provider_disabled",
                             "email_provider_disabled",
                             "email_not_confirmed",
                             "unsupported_grant_type",
                             "not_admin",
                             "otp_expired",
                             "method_not_allowed",
                             "route_not_found",
                             "conversation_not_found",
                             "message_not_found",
                             "message_too_large",
                             "params_too_large",
                             "topic_name_required",
                             "topic_name_invalid",
                             "unmatched_topic",
                             "too_many_channels",
                             "too_many_joins",
                             "too_many_connections",
                             "too_many_messages",
                             "private_only",
                             "restarting",
                             "session_ended",
                             "write_denied"}) {
    CAPTURE(reason);
    CHECK(page.contains("`" + std::string{reason} + "`"));
  }
}

} // namespace
} // namespace jessica::wire

TEST_SUITE_END();
