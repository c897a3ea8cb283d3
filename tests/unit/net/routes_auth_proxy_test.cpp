#include "route_world.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace jessica::test {
namespace {

constexpr auto path = std::string_view{"/functions/v1/auth-proxy"};
using kind = access_change::kind;

/// Every test has a login of its own: what one was told is not forgotten for the next.
struct proxy_world : route_world {
  proxy_world() {
    grant.session = auth_session_id{uuid::make()};
    grant.user.id = user_id{uuid::make()};
  }

  /// A sub-request as nginx makes it: the headers of a request to somebody else.
  net::http_response pass(std::string_view authorization, net::header_list more = {}) {
    auto what = bare("GET", path);
    what.headers = std::move(more);
    if (!authorization.empty())
      what.headers.emplace_back("authorization", authorization);
    return ask(std::move(what));
  }

  void all_live() {
    finding_ended.say = [](const auto&) { return actors::ended_logins{}; };
  }
  void over(access_change::kind how) {
    finding_ended.say = [how](const actors::find_ended& asked) {
      return actors::ended_logins{{{how, asked.logins.front()}}};
    };
  }
};

} // namespace

TEST_SUITE("net.routes_auth_proxy") {
  TEST_CASE_FIXTURE(proxy_world, "who the bearer is, in the body and in headers") {
    all_live();
    const auto token = user_token();
    const auto expires = wire::verify_token(token, with.credentials.jwt_secret, now())
                             .value()
                             .expires.time_since_epoch()
                             .count();
    for (const auto* method : {"GET", "POST", "PUT", "HEAD"}) {
      const auto answer = ask(with_token(token, method, path));
      CHECK(answer.status == 200);
      CHECK(field(answer, "user_id") == grant.user.id.str());
      CHECK(field(answer, "session_id") == grant.session.str());
      CHECK(field(answer, "role") == "authenticated");
      CHECK(field(answer, "email") == "ada@example.org");
      CHECK(header(answer, "X-User-Id") == grant.user.id.str());
      CHECK(header(answer, "X-User-Role") == "authenticated");
      CHECK(header(answer, "X-User-Email").empty()); // nobody has checked it
      CHECK(header(answer, "Cache-Control") == "no-store");
      CHECK(answer.body.contains("\"expires_at\":" + std::to_string(expires)));
    }
  }

  TEST_CASE_FIXTURE(proxy_world,
                    "another server's apikey, cookies and so on are not read") {
    all_live();
    const auto bearer = "Bearer " + user_token();
    CHECK(pass(bearer).status == 200);
    CHECK(pass(bearer, {{"apikey", "of somebody else"}, {"cookie", "a=b"}}).status ==
          200);
    CHECK(pass("", {{"cookie", "sb-access-token=" + user_token()}}).status == 401);
    CHECK(pass("", {{"apikey", "sb_secret_test"}}).status == 401);
  }

  TEST_CASE_FIXTURE(proxy_world, "whoever names no user is asked for a token") {
    for (const auto& authorization :
         {std::string{}, std::string{"Bearer"}, std::string{"Bearer x.y.z"},
          std::string{"Basic dTpw"}, "Token " + user_token(),
          "Bearer " + user_token(std::chrono::seconds{-3600}),
          std::string{"Bearer sb_publishable_test"},
          std::string{"Bearer sb_secret_test"}}) {
      CAPTURE(authorization);
      const auto answer = pass(authorization);
      CHECK(answer.status == 401);
      CHECK(header(answer, "WWW-Authenticate") == "Bearer");
      CHECK(header(answer, "X-User-Id").empty());
      CHECK(header(answer, "Cache-Control") == "no-store");
    }
    CHECK_FALSE(finding_ended.asked.has_value());
  }

  TEST_CASE_FIXTURE(proxy_world,
                    "a session that has ended is a 401 before its token is") {
    over(kind::signed_out);
    const auto answer = pass("Bearer " + user_token());
    CHECK(answer.status == 401);
    CHECK(field(answer, "code") == "session_ended");
    CHECK(finding_ended.asked->logins.front() == login{grant.user.id, grant.session});
  }

  TEST_CASE_FIXTURE(proxy_world, "a banned user is a 403") {
    over(kind::shut_out);
    const auto answer = pass("Bearer " + user_token());
    CHECK(answer.status == 403);
    CHECK(field(answer, "code") == "user_banned");
    CHECK(header(answer, "X-User-Id").empty());
  }

  TEST_CASE_FIXTURE(proxy_world, "a live login is asked about once in a while") {
    all_live();
    const auto bearer = "Bearer " + user_token();
    REQUIRE(pass(bearer).status == 200);
    finding_ended.asked.reset();
    CHECK(pass(bearer).status == 200);
    CHECK_FALSE(finding_ended.asked.has_value());
  }

  TEST_CASE_FIXTURE(proxy_world,
                    "without the database nobody passes, and it is no 401") {
    finding_ended.say = [](const auto&) -> result<actors::ended_logins> {
      return fail(errc::unavailable, "connection refused");
    };
    const auto answer = pass("Bearer " + user_token());
    CHECK(answer.status == 503);
    CHECK(header(answer, "X-User-Id").empty());
  }
}

} // namespace jessica::test
