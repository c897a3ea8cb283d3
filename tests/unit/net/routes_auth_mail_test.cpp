#include "route_world.hpp"

#include <doctest/doctest.h>

#include <string>

namespace {

using namespace jessica;
using test::field;
using test::header;

struct mail_routes : test::route_world {
  mail_routes() {
    with.settings.auth.mail_mode = "sink";
    with.settings.auth.site_url = "https://app.example/home";
    with.settings.auth.redirect_urls = "https://*.example/in";
    with.settings.net.public_url = "https://api.example/";
  }

  net::http_response post(std::string_view path, std::string body) {
    auto what = as_anon("POST", path, std::move(body));
    what.headers.emplace_back("x-supabase-api-version", "2024-01-01");
    return ask(std::move(what));
  }
  net::http_response follow(std::string_view query, std::string method = "GET") {
    return ask(bare(std::move(method), "/auth/v1/verify?" + std::string{query}));
  }
  static auto well() {
    return [](const auto&) -> result<actors::done> { return actors::done{}; };
  }
};

constexpr auto good_link =
    "token=abc&type=magiclink&redirect_to=https%3A%2F%2Fx.example%2Fin";

} // namespace

TEST_SUITE("net.routes_auth_mail") {
  TEST_CASE_FIXTURE(mail_routes,
                    "a wish to sign in reaches CODES with its link's way") {
    asking_in.say = well();
    const auto answer = post("/auth/v1/otp?redirect_to=https%3A%2F%2Fx.example%2Fin",
                             R"({"email":"Ada@B.test","create_user":false})");
    CHECK(answer.status == 200);
    CHECK(answer.body == "{}");
    REQUIRE(asking_in.asked);
    CHECK(asking_in.asked->what.email == "ada@b.test");
    CHECK_FALSE(asking_in.asked->what.create);
    CHECK(asking_in.asked->plan.verify_url == "https://api.example/auth/v1/verify");
    CHECK(asking_in.asked->plan.redirect_to == "https://x.example/in");
  }

  TEST_CASE_FIXTURE(mail_routes,
                    "a way that is not allowed becomes the page, or the site") {
    recovering.say = well();
    const auto body = std::string{R"({"email":"a@b.test"})"};
    CHECK(post("/auth/v1/recover?redirect_to=https%3A%2F%2Fevil.test", body).status ==
          200);
    CHECK(recovering.asked->plan.redirect_to == "https://app.example/home");
    auto from_page = as_anon("POST", "/auth/v1/recover", body);
    from_page.headers.emplace_back("referer", "https://app.example/login");
    CHECK(ask(std::move(from_page)).status == 200);
    CHECK(recovering.asked->plan.redirect_to == "https://app.example/login");
    with.settings.auth.site_url.clear();
    CHECK(post("/auth/v1/recover", body).status == 200);
    CHECK(recovering.asked->plan.redirect_to == "https://api.example/");
  }

  TEST_CASE_FIXTURE(mail_routes, "a sign-up that must be confirmed gets no session") {
    with.settings.auth.autoconfirm = false;
    joining.say = [this](const auto&) -> result<storage::pending_sign_up> {
      return storage::pending_sign_up{grant.user, false};
    };
    const auto body = std::string{R"({"email":"ada@b.test","password":"secret1"})"};
    const auto waits = post("/auth/v1/signup", body);
    CHECK(waits.status == 200);
    CHECK(field(waits, "email") == "ada@example.org");
    CHECK_FALSE(waits.body.contains("access_token"));
    CHECK(waits.body.contains("\"identities\":[{"));
    joining.say = [this](const auto&) -> result<storage::pending_sign_up> {
      return storage::pending_sign_up{grant.user, true};
    };
    CHECK(post("/auth/v1/signup", body).body.contains("\"identities\":[]"));
  }

  TEST_CASE_FIXTURE(mail_routes, "limits are told with their own words") {
    resending.say = [](const auto&) -> result<actors::done> {
      return fail(errc::overloaded, "only after 42 seconds.",
                  "over_email_send_rate_limit");
    };
    const auto answer =
        post("/auth/v1/resend", R"({"type":"signup","email":"a@b.test"})");
    CHECK(answer.status == 429);
    CHECK(field(answer, "code") == "over_email_send_rate_limit");
    CHECK(field(answer, "message") == "only after 42 seconds.");
    CHECK(header(answer, "Retry-After").empty());
  }

  TEST_CASE_FIXTURE(mail_routes, "a code gives a session, the first of two a message") {
    redeeming.say = [this](const auto&) -> result<storage::redemption> {
      return storage::redemption{grant, {}};
    };
    const auto body =
        std::string{R"({"type":"email","token":"123456","email":"a@b.test"})"};
    CHECK(field(post("/auth/v1/verify", body), "refresh_token") == "refreshtoken1");
    CHECK_FALSE(redeeming.asked->by_link);
    redeeming.say = [](const auto&) -> result<storage::redemption> {
      return storage::redemption{};
    };
    const auto first = post("/auth/v1/verify", body);
    CHECK(first.status == 200);
    CHECK(field(first, "code") == "200");
    CHECK(field(first, "msg").starts_with("Confirmation link accepted."));
  }

  TEST_CASE_FIXTURE(mail_routes, "a link leads back with the session in the fragment") {
    redeeming.say = [this](const auto&) -> result<storage::redemption> {
      return storage::redemption{grant, {}};
    };
    const auto answer = follow(good_link);
    CHECK(answer.status == 303);
    const auto to = std::string{header(answer, "Location")};
    CHECK(to.starts_with("https://x.example/in#access_token="));
    CHECK(to.contains("&refresh_token=refreshtoken1&sb=&token_type=bearer&"
                      "type=magiclink"));
    CHECK(header(answer, "Referrer-Policy") == "no-referrer");
    CHECK(header(answer, "Cache-Control") == "no-store");
    CHECK(redeeming.asked->by_link);
    CHECK(redeeming.asked->what.secret == "abc");
  }

  TEST_CASE_FIXTURE(mail_routes,
                    "a link of an app leads back with a code in the query") {
    redeeming.say = [](const auto&) -> result<storage::redemption> {
      return storage::redemption{std::nullopt, "thecode"};
    };
    const auto answer = follow("token=pkce_abc&type=signup");
    CHECK(header(answer, "Location") == "https://app.example/home?code=thecode");
  }

  TEST_CASE_FIXTURE(mail_routes, "what went wrong with a link is told where it leads") {
    redeeming.say = [](const auto&) -> result<storage::redemption> {
      return fail(errc::forbidden, "", "otp_link_expired");
    };
    const auto words = std::string{"error=access_denied&error_code=otp_expired&error_"
                                   "description=Email+link+is+invalid+or+has+expired"};
    CHECK(header(follow(good_link), "Location") ==
          "https://x.example/in#" + words + "&sb=");
    CHECK(header(follow("token=pkce_abc&type=signup"), "Location") ==
          "https://app.example/home?" + words + "#" + words + "&sb=");
    redeeming.say = [](const auto&) -> result<storage::redemption> {
      return fail(errc::unavailable, "the database is down");
    };
    CHECK(header(follow(good_link), "Location")
              .contains("error=temporarily_unavailable"));
  }

  TEST_CASE_FIXTURE(mail_routes, "a scanner's HEAD does not use a link up") {
    CHECK(follow(good_link, "HEAD").status == 200);
    CHECK_FALSE(redeeming.asked);
  }

  TEST_CASE_FIXTURE(mail_routes, "a link that says nothing leads nowhere") {
    for (const auto* bad : {"", "token=x", "type=signup", "token=x&type=planet"})
      CHECK_MESSAGE(follow(bad).status == 400, bad);
    CHECK_FALSE(redeeming.asked);
  }

  TEST_CASE_FIXTURE(mail_routes, "an app exchanges its code") {
    exchanging.say = [this](const auto&) -> result<session_grant> { return grant; };
    const auto path = std::string{"/auth/v1/token?grant_type=pkce"};
    CHECK(field(post(path, R"({"auth_code":"c","code_verifier":"v"})"),
                "refresh_token") == "refreshtoken1");
    CHECK(exchanging.asked->auth_code == "c");
    CHECK(post(path, R"({"auth_code":"c"})").status == 400);
    struct row {
      errc code;
      std::string reason;
      int status;
    };
    for (const auto& [code, why, status] :
         {row{errc::not_found, "flow_state_not_found", 404},
          row{errc::invalid_input, "flow_state_expired", 422},
          row{errc::invalid_input, "bad_code_verifier", 400}}) {
      exchanging.say = [&](const auto&) -> result<session_grant> {
        return fail(code, "why", why);
      };
      const auto answer = post(path, R"({"auth_code":"c","code_verifier":"v"})");
      CHECK(answer.status == status);
      CHECK(field(answer, "code") == why);
    }
  }

  TEST_CASE_FIXTURE(mail_routes, "only the service role invites") {
    inviting.say = [this](const auto&) -> result<account> { return grant.user; };
    CHECK(post("/auth/v1/invite", R"({"email":"a@b.test"})").status == 403);
    CHECK_FALSE(inviting.asked);
    auto what =
        bare("POST", "/auth/v1/invite", R"({"email":"A@b.test","data":{"a":1}})");
    what.headers = {{"apikey", "sb_secret_test"}};
    const auto answer = ask(std::move(what));
    CHECK(answer.status == 200);
    CHECK(inviting.asked->email == "a@b.test");
    CHECK(inviting.asked->data == R"({"a":1})");
  }

  TEST_CASE_FIXTURE(mail_routes, "bad bodies reach no actor") {
    CHECK(post("/auth/v1/otp", "{").status == 400);
    CHECK(post("/auth/v1/recover", "{}").status == 400);
    CHECK(post("/auth/v1/resend", R"({"type":"planet","email":"a@b.test"})").status ==
          400);
    CHECK(post("/auth/v1/verify", R"({"type":"email"})").status == 400);
    CHECK_FALSE(asking_in.asked);
    CHECK_FALSE(recovering.asked);
    CHECK_FALSE(resending.asked);
    CHECK_FALSE(redeeming.asked);
  }
}
