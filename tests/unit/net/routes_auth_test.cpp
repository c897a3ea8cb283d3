#include "route_world.hpp"

#include <doctest/doctest.h>

namespace {

using namespace jessica;
using test::field;
using test::header;

constexpr auto known = R"({"email":"Ada@Example.org","password":"correct horse"})";

struct auth_world : test::route_world {
  result<session_grant> granted() const { return grant; }

  net::http_response post(std::string_view path, std::string body) {
    return ask(as_current("POST", path, std::move(body)));
  }

  /// As the current client asks: it sends the API version.
  static net::http_request as_current(std::string method, std::string_view path,
                                      std::string body = {}) {
    auto what = as_anon(std::move(method), path, std::move(body));
    what.headers.emplace_back("x-supabase-api-version", "2024-01-01");
    return what;
  }

  net::http_request as_service(std::string method, std::string_view path) const {
    auto what = bare(std::move(method), path);
    what.headers = {{"apikey", "sb_secret_test"},
                    {"authorization", "Bearer sb_secret_test"},
                    {"x-supabase-api-version", "2024-01-01"}};
    return what;
  }
};

void check_refusal(const net::http_response& answer, int status,
                   std::string_view code) {
  CHECK(answer.status == status);
  CHECK(field(answer, "code") == code);
  CHECK(header(answer, "X-Supabase-Api-Version") == "2024-01-01");
}

} // namespace

TEST_SUITE("net.routes_auth") {

  TEST_CASE_FIXTURE(auth_world, "a sign-up is answered with a session") {
    signing_up.say = [this](const auto&) { return granted(); };
    auto what = as_current("POST", "/auth/v1/signup", known);
    what.headers.emplace_back("user-agent", "tests/1");
    const auto answer = ask(std::move(what));
    CHECK(answer.status == 200);
    CHECK(field(answer, "refresh_token") == "refreshtoken1");
    CHECK(field(answer, "token_type") == "bearer");
    CHECK(header(answer, "Cache-Control") == "no-store");
    REQUIRE(signing_up.asked.has_value());
    CHECK(signing_up.asked->what.email == "ada@example.org");
    CHECK(signing_up.asked->what.password == "correct horse");
    CHECK(signing_up.asked->from.ip == "192.0.2.7");
    CHECK(signing_up.asked->from.user_agent == "tests/1");
  }

  TEST_CASE_FIXTURE(auth_world,
                    "the session's token is the user's and names our issuer") {
    signing_up.say = [this](const auto&) { return granted(); };
    with.settings.net.public_url = "https://chat.example.org/";
    const auto token = field(post("/auth/v1/signup", known), "access_token");
    const auto who = wire::verify_token(token, with.credentials.jwt_secret, now());
    REQUIRE(who.has_value());
    CHECK(who->user == grant.user.id);
    CHECK(who->claims.contains(R"("iss":"https://chat.example.org/auth/v1")"));
  }

  TEST_CASE_FIXTURE(auth_world, "a program's name is cut and made plain") {
    signing_up.say = [this](const auto&) { return granted(); };
    auto what = as_current("POST", "/auth/v1/signup", known);
    what.headers.emplace_back("user-agent", "\xff\x01" + std::string(1000, 'a'));
    CHECK(ask(std::move(what)).status == 200);
    CHECK(signing_up.asked.value().from.user_agent == "??" + std::string(254, 'a'));
  }

  TEST_CASE_FIXTURE(auth_world, "neither e-mail nor phone is an anonymous sign-up") {
    signing_up.say = [this](const auto&) { return granted(); };
    CHECK(post("/auth/v1/signup", R"({"data":{"a":1}})").status == 200);
    CHECK(signing_up.asked.value().what.email.empty());
    CHECK(signing_up.asked->what.data == R"({"a":1})");
  }

  TEST_CASE_FIXTURE(auth_world, "switched-off sign-ups say which") {
    with.settings.auth.anonymous_enabled = false;
    check_refusal(post("/auth/v1/signup", "{}"), 422, "anonymous_provider_disabled");
    with.settings.auth.signup_enabled = false;
    check_refusal(post("/auth/v1/signup", known), 422, "signup_disabled");
    CHECK_FALSE(signing_up.asked.has_value());
  }

  TEST_CASE_FIXTURE(auth_world, "bad sign-ups reach no actor") {
    check_refusal(post("/auth/v1/signup", "{"), 400, "bad_json");
    check_refusal(post("/auth/v1/signup", R"({"email":"a@b.de"})"), 400,
                  "validation_failed");
    check_refusal(post("/auth/v1/signup", R"({"email":"nobody","password":"secret1"})"),
                  400, "validation_failed");
    check_refusal(post("/auth/v1/signup", R"({"email":"a@b.de","password":"123"})"),
                  422, "weak_password");
    check_refusal(post("/auth/v1/signup", R"({"phone":"+1","password":"secret1"})"),
                  400, "phone_provider_disabled");
    CHECK_FALSE(signing_up.asked.has_value());
  }

  TEST_CASE_FIXTURE(auth_world, "an e-mail that is taken is told") {
    signing_up.say = [](const auto&) -> result<session_grant> {
      return fail(errc::conflict, "", "user_already_exists");
    };
    check_refusal(post("/auth/v1/signup", known), 422, "user_already_exists");
  }

  TEST_CASE_FIXTURE(auth_world, "a password signs in") {
    signing_in.say = [this](const auto&) { return granted(); };
    const auto answer = post("/auth/v1/token?grant_type=password", known);
    CHECK(answer.status == 200);
    CHECK(field(answer, "refresh_token") == "refreshtoken1");
    CHECK(signing_in.asked.value().email == "ada@example.org");
  }

  TEST_CASE_FIXTURE(auth_world, "wrong credentials are a 400 in both shapes") {
    signing_in.say = [](const auto&) -> result<session_grant> {
      return fail(errc::unauthenticated, "", "invalid_credentials");
    };
    check_refusal(post("/auth/v1/token?grant_type=password", known), 400,
                  "invalid_credentials");
    const auto old = ask(as_anon("POST", "/auth/v1/token?grant_type=password", known));
    CHECK(old.status == 400);
    CHECK(field(old, "error_code") == "invalid_credentials");
    CHECK(field(old, "msg") == "Invalid login credentials");
  }

  TEST_CASE_FIXTURE(auth_world, "a full queue is a 429 that says when to come back") {
    signing_in.say = [](const auto&) -> result<session_grant> {
      return fail(errc::overloaded, "queue full");
    };
    const auto answer = post("/auth/v1/token?grant_type=password", known);
    check_refusal(answer, 429, "over_request_rate_limit");
    CHECK_FALSE(header(answer, "Retry-After").empty());
  }

  TEST_CASE_FIXTURE(auth_world, "bad sign-ins reach no actor") {
    check_refusal(post("/auth/v1/token?grant_type=password", "nonsense"), 400,
                  "bad_json");
    check_refusal(post("/auth/v1/token?grant_type=password", "{}"), 400,
                  "validation_failed");
    check_refusal(
        post("/auth/v1/token?grant_type=password", R"({"phone":"+1","password":"x"})"),
        422, "phone_provider_disabled");
    CHECK_FALSE(signing_in.asked.has_value());
  }

  TEST_CASE_FIXTURE(auth_world,
                    "a refresh token is exchanged, whatever the bearer says") {
    refreshing.say = [this](const auto&) { return granted(); };
    const auto stale = user_token(std::chrono::seconds{-3600});
    const auto answer =
        ask(with_token(stale, "POST", "/auth/v1/token?grant_type=refresh_token",
                       R"({"refresh_token":"refreshtoken0"})"));
    CHECK(answer.status == 200);
    CHECK(field(answer, "refresh_token") == "refreshtoken1");
    CHECK(refreshing.asked.value().refresh_token == "refreshtoken0");
  }

  TEST_CASE_FIXTURE(auth_world, "refused refresh tokens") {
    const auto empty = post("/auth/v1/token?grant_type=refresh_token", "{}");
    CHECK(empty.status == 400);
    CHECK(field(empty, "error") == "invalid_request");
    refreshing.say = [](const auto&) -> result<session_grant> {
      return fail(errc::unauthenticated, "", "refresh_token_already_used");
    };
    check_refusal(post("/auth/v1/token?grant_type=refresh_token",
                       R"({"refresh_token":"refreshtoken0"})"),
                  400, "refresh_token_already_used");
  }

  TEST_CASE_FIXTURE(auth_world, "other grants fail cleanly") {
    check_refusal(post("/auth/v1/token?grant_type=pkce", "{}"), 404,
                  "flow_state_not_found");
    check_refusal(post("/auth/v1/token?grant_type=web3", "{}"), 422,
                  "web3_provider_disabled");
    check_refusal(post("/auth/v1/token?grant_type=id_token", "{}"), 400,
                  "provider_disabled");
    for (const auto* query : {"", "?grant_type=", "?grant_type=x", "?grant_type=%zz"}) {
      const auto answer = post(std::string{"/auth/v1/token"} + query, "{}");
      check_refusal(answer, 400, "invalid_credentials");
      CHECK(field(answer, "message") == "unsupported_grant_type");
    }
  }

  TEST_CASE_FIXTURE(auth_world, "a user may look at itself") {
    finding.say = [this](const auto&) -> result<account> { return grant.user; };
    const auto answer = ask(as_user("GET", "/auth/v1/user"));
    CHECK(answer.status == 200);
    CHECK(field(answer, "id") == grant.user.id.str());
    CHECK(field(answer, "email") == "ada@example.org");
    CHECK(finding.asked.value().user == grant.user.id);
    CHECK(finding.asked->session == grant.session);
  }

  TEST_CASE_FIXTURE(auth_world, "/user tells a missing, a useless and a forged token") {
    auto none = bare("GET", "/auth/v1/user");
    none.headers = {{"apikey", "sb_publishable_test"},
                    {"x-supabase-api-version", "2024-01-01"}};
    check_refusal(ask(std::move(none)), 401, "no_authorization");
    const auto useless = ask(as_current("GET", "/auth/v1/user"));
    check_refusal(useless, 403, "bad_jwt");
    CHECK(field(useless, "message") == "invalid claim: missing sub claim");
    auto forged = with_token(wire::make_access_token(grant, "another secret", "x",
                                                     now(), std::chrono::hours{1}),
                             "GET", "/auth/v1/user");
    forged.headers.emplace_back("x-supabase-api-version", "2024-01-01");
    check_refusal(ask(std::move(forged)), 403, "bad_jwt");
    CHECK_FALSE(finding.asked.has_value());
  }

  TEST_CASE_FIXTURE(auth_world, "a user or session that is gone is a 403") {
    for (const auto* reason : {"user_not_found", "session_not_found", "user_banned"}) {
      finding.say = [&](const auto&) -> result<account> {
        return fail(errc::forbidden, "", reason);
      };
      const auto answer = ask(as_user("GET", "/auth/v1/user"));
      CHECK(answer.status == 403);
      CHECK(field(answer, "error_code") == reason);
    }
  }

  TEST_CASE_FIXTURE(auth_world,
                    "a logout ends what its scope says, with an empty 204") {
    using storage::logout_scope;
    signing_out.say = [](const auto&) -> result<actors::done> {
      return actors::done{};
    };
    for (const auto& [query, scope] :
         {std::pair{"", logout_scope::global},
          std::pair{"?scope=global", logout_scope::global},
          std::pair{"?scope=local", logout_scope::local},
          std::pair{"?scope=others", logout_scope::others}}) {
      const auto answer = ask(as_user("POST", std::string{"/auth/v1/logout"} + query));
      CHECK(answer.status == 204);
      CHECK(answer.body.empty());
      CHECK(signing_out.asked.value().scope == scope);
      CHECK(signing_out.asked->session == grant.session);
    }
  }

  TEST_CASE_FIXTURE(auth_world, "an unknown scope ends nothing") {
    const auto answer = ask(as_user("POST", "/auth/v1/logout?scope=x%22y"));
    CHECK(answer.status == 400);
    CHECK(field(answer, "msg") == "Unsupported logout scope \"x\"y\"");
    CHECK_FALSE(signing_out.asked.has_value());
  }

  TEST_CASE_FIXTURE(auth_world, "tools see what is switched on") {
    CHECK(field(ask(as_anon("GET", "/auth/v1/health")), "name") == "GoTrue");
    with.settings.auth.anonymous_enabled = false;
    const auto shown = ask(as_anon("GET", "/auth/v1/settings"));
    CHECK(shown.status == 200);
    CHECK(shown.body.contains(R"("anonymous_users":false)"));
  }

  TEST_CASE_FIXTURE(auth_world, "the key set is public and empty") {
    const auto answer = ask(bare("GET", "/auth/v1/.well-known/jwks.json"));
    CHECK(answer.status == 200);
    CHECK(answer.body == R"({"keys":[]})");
    CHECK(header(answer, "Cache-Control") == "public, max-age=600");
  }

  TEST_CASE_FIXTURE(auth_world, "a server without e-mail says so") {
    const auto mail = std::string{R"({"email":"a@b.de"})"};
    check_refusal(post("/auth/v1/otp", mail), 422, "email_provider_disabled");
    check_refusal(post("/auth/v1/otp", R"({"phone":"+1"})"), 422,
                  "phone_provider_disabled");
    check_refusal(post("/auth/v1/otp", "{}"), 400, "validation_failed");
    check_refusal(post("/auth/v1/otp", "["), 400, "bad_json");
    CHECK(post("/auth/v1/recover", mail).body == "{}");
    check_refusal(post("/auth/v1/recover", "{}"), 400, "validation_failed");
    check_refusal(post("/auth/v1/recover", "nonsense"), 400, "bad_json");
    check_refusal(post("/auth/v1/resend", "{}"), 400, "validation_failed");
    CHECK(post("/auth/v1/resend", R"({"type":"signup","email":"a@b.de"})").status ==
          200);
    check_refusal(post("/auth/v1/resend", R"({"type":"sms","phone":"+1"})"), 400,
                  "phone_provider_disabled");
    check_refusal(post("/auth/v1/verify", R"({"type":"signup","token":"1"})"), 403,
                  "otp_expired");
    CHECK(ask(bare("GET", "/auth/v1/verify?token=x&type=signup")).status == 403);
  }

  TEST_CASE_FIXTURE(auth_world, "reauthentication needs an address to write to") {
    CHECK(field(ask(as_user("GET", "/auth/v1/reauthenticate")), "error_code") ==
          "email_provider_disabled");
    grant.user.email.clear();
    grant.user.anonymous = true;
    const auto answer = ask(as_user("GET", "/auth/v1/reauthenticate"));
    CHECK(answer.status == 400);
    CHECK(field(answer, "error_code") == "validation_failed");
  }

  TEST_CASE_FIXTURE(auth_world, "features that are off answer in the client's words") {
    struct row {
      const char* method;
      const char* path;
      int status;
      const char* code;
    };
    for (const auto& [method, path, status, code] :
         {row{"GET", "/auth/v1/authorize?provider=github", 400, "validation_failed"},
          row{"POST", "/auth/v1/sso", 404, "saml_provider_disabled"},
          row{"GET", "/auth/v1/user/identities/authorize", 404,
              "manual_linking_disabled"},
          row{"DELETE", "/auth/v1/user/identities/1", 404, "manual_linking_disabled"},
          row{"POST", "/auth/v1/passkeys/registration", 404, "passkey_disabled"},
          row{"GET", "/auth/v1/oauth/authorizations/1", 404, "feature_disabled"},
          row{"GET", "/auth/v1/admin/oauth/clients", 404, "feature_disabled"},
          row{"POST", "/auth/v1/factors", 422, "mfa_totp_enroll_not_enabled"}}) {
      INFO(path);
      check_refusal(ask(as_current(method, path, "{}")), status, code);
    }
  }

  TEST_CASE_FIXTURE(auth_world, "administration is for the service key") {
    for (const auto* path : {"/auth/v1/admin/users", "/auth/v1/admin/generate_link"})
      check_refusal(ask(as_current("GET", path)), 403, "not_admin");
    check_refusal(ask(as_service("POST", "/auth/v1/admin/generate_link")), 404,
                  "feature_disabled");
    check_refusal(ask(as_current("POST", "/auth/v1/invite")), 403, "not_admin");
    check_refusal(ask(as_service("POST", "/auth/v1/invite")), 422,
                  "email_provider_disabled");
  }

  TEST_CASE_FIXTURE(auth_world, "a database that is down is a 503") {
    finding.say = [](const auto&) -> result<account> {
      return fail(errc::unavailable, "no connection to 10.0.0.5");
    };
    const auto answer = ask(as_user("GET", "/auth/v1/user"));
    CHECK(answer.status == 503);
    CHECK_FALSE(answer.body.contains("10.0.0.5"));
  }

} // TEST_SUITE
