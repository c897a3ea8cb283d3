#include "net/auth_limits.hpp"
#include "route_world.hpp"

#include <doctest/doctest.h>

namespace {

using namespace jessica;
using test::field;
using test::header;

struct user_world : test::route_world {
  net::http_response put(std::string body) {
    return ask(as_user("PUT", "/auth/v1/user", std::move(body)));
  }
};

} // namespace

TEST_SUITE("net.routes_auth_user") {
  TEST_CASE_FIXTURE(user_world,
                    "a change is asked for as sent and answered with USER") {
    changing.say = [this](const auto&) -> result<account> { return grant.user; };
    const auto answer = put(R"({"email":"New@b.c","password":"secret2",)"
                            R"("current_password":"secret1","data":{"a":null}})");
    CHECK(answer.status == 200);
    CHECK(field(answer, "id") == grant.user.id.str());
    REQUIRE(changing.asked);
    CHECK(changing.asked->user == grant.user.id);
    CHECK(changing.asked->session == grant.session);
    CHECK(changing.asked->change.email == "new@b.c");
    CHECK(changing.asked->change.password == "secret2");
    CHECK(changing.asked->change.current_password == "secret1");
    CHECK(changing.asked->change.data == R"({"a":null})");
  }

  TEST_CASE_FIXTURE(user_world, "bad changes reach no actor") {
    const auto check = [&](std::string body, int status, std::string_view code) {
      const auto answer = put(std::move(body));
      CHECK(answer.status == status);
      CHECK(field(answer, "error_code") == code);
    };
    check("{", 400, "bad_json");
    check(R"({"password":"1"})", 422, "weak_password");
    check(R"({"email":"x"})", 400, "validation_failed");
    check(R"({"app_metadata":{"a":1}})", 403, "not_admin");
    CHECK(ask(as_anon("PUT", "/auth/v1/user", "{}")).status == 403);
    CHECK_FALSE(changing.asked);
  }

  TEST_CASE_FIXTURE(user_world, "the policy for passwords is the configured one") {
    with.settings.auth.max_password = 200;
    with.settings.auth.password_characters = "0123456789";
    with.settings.auth.refuse_known_passwords = true;
    changing.say = [this](const auto&) -> result<account> { return grant.user; };
    CHECK(put(R"({"password":")" + std::string(199, 'x') + "1\"}").status == 200);
    CHECK(put(R"({"password":")" + std::string(200, 'x') + "1\"}").status == 400);
    const auto weak = put(R"({"password":"dragon"})");
    CHECK(weak.status == 422);
    CHECK(weak.body.contains(R"("weak_password":{"reasons":["characters","pwned"]})"));
  }

  TEST_CASE_FIXTURE(user_world, "who signs in with a weak password is told so") {
    with.settings.auth.min_password = 8;
    signing_in.say = [this](const auto&) -> result<session_grant> { return grant; };
    const auto sign_in = [&](std::string_view password) {
      return ask(
          as_anon("POST", "/auth/v1/token?grant_type=password",
                  R"({"email":"a@b.c","password":")" + std::string{password} + "\"}"));
    };
    const auto weak = sign_in("secret1");
    CHECK(weak.status == 200);
    CHECK(weak.body.contains(R"("weak_password":{"reasons":["length"],"message":)"));
    CHECK_FALSE(sign_in("secret12").body.contains("weak_password"));
    signing_in.say = [](const auto&) -> result<session_grant> {
      return fail(errc::unauthenticated, "", "invalid_credentials");
    };
    CHECK_FALSE(sign_in("secret1").body.contains("weak_password"));
  }

  TEST_CASE_FIXTURE(user_world, "an address that calls too often is a 429") {
    auto rates = config::auth_settings{};
    rates.otp_rate = 2;
    with.limits = std::make_shared<net::auth_limits>(rates);
    changing.say = [this](const auto&) -> result<account> { return grant.user; };
    CHECK(put("{}").status == 200);
    CHECK(put("{}").status == 200);
    const auto refused = put("{}");
    CHECK(refused.status == 429);
    CHECK(field(refused, "error_code") == "over_request_rate_limit");
    CHECK(field(refused, "msg") == "Request rate limit reached");
    const auto wait = std::stoi(std::string{header(refused, "Retry-After")});
    CHECK(wait > 60);
    CHECK(wait <= 150);
    signing_up.say = [this](const auto&) -> result<session_grant> { return grant; };
    CHECK(ask(as_anon("POST", "/auth/v1/signup", "{}")).status == 200);
  }

  TEST_CASE_FIXTURE(user_world, "only wrong passwords count against an account") {
    auto rates = config::auth_settings{};
    rates.wrong_password_rate = 3;
    rates.token_rate = 0;
    with.limits = std::make_shared<net::auth_limits>(rates);
    auto right = true;
    signing_in.say = [&](const auto&) -> result<session_grant> {
      if (right)
        return grant;
      return fail(errc::unauthenticated, "", "invalid_credentials");
    };
    const auto sign_in = [&](std::string_view email) {
      return ask(as_anon("POST", "/auth/v1/token?grant_type=password",
                         R"({"password":"secret1","email":")" + std::string{email} +
                             "\"}"))
          .status;
    };
    for (auto i = 0; i < 10; ++i)
      CHECK(sign_in("a@b.c") == 200);
    right = false;
    for (auto i = 0; i < 3; ++i)
      CHECK(sign_in("A@B.c") == 400);
    CHECK(sign_in("a@b.c") == 429);
    CHECK(sign_in("other@b.c") == 400);
    right = true;
    CHECK(sign_in("a@b.c") == 429);
  }

  TEST_CASE("an address counts as its network; this machine does not count") {
    CHECK(net::counted_address("192.0.2.7") == "192.0.2.7");
    CHECK(net::counted_address("::ffff:192.0.2.7") == "192.0.2.7");
    CHECK(net::counted_address("2001:db8::1") == net::counted_address("2001:db8::2"));
    CHECK(net::counted_address("2001:db8:0:1::1") !=
          net::counted_address("2001:db8::1"));
    for (const auto* uncounted : {"", "127.0.0.1", "127.9.9.9", "::1", "nonsense"})
      CHECK(net::counted_address(uncounted).empty());
  }

  TEST_CASE("X-Forwarded-For is believed as far as proxies are trusted") {
    auto asked = net::http_request{};
    asked.headers = {{"x-forwarded-for", "6.6.6.6, 192.0.2.1"},
                     {"x-forwarded-for", " 192.0.2.2 "}};
    CHECK(net::client_address(asked, "10.0.0.1", 0) == "10.0.0.1");
    CHECK(net::client_address(asked, "10.0.0.1", 1) == "192.0.2.2");
    CHECK(net::client_address(asked, "10.0.0.1", 2) == "192.0.2.1");
    CHECK(net::client_address(asked, "10.0.0.1", 4) == "10.0.0.1");
    asked.headers = {{"x-forwarded-for", "unknown"}};
    CHECK(net::client_address(asked, "10.0.0.1", 1) == "10.0.0.1");
    asked.headers = {{"x-forwarded-for", "2001:db8::1"}};
    CHECK(net::client_address(asked, "10.0.0.1", 1) == "2001:db8::1");
  }
}
