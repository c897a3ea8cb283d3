#include "net/gate.hpp"
#include "route_world.hpp"

#include <doctest/doctest.h>

namespace {

using namespace jessica;
using net::caller;
using test::field;
using test::header;

struct gate_world : test::route_world {
  result<identity> enter(const net::http_request& what, caller allowed,
                         bool require_apikey = true) const {
    return net::admit(what, allowed, with.credentials, require_apikey, now());
  }
};

net::http_request to(std::string_view path) {
  return test::route_world::bare("GET", path);
}

} // namespace

TEST_SUITE("net.gate") {

  TEST_CASE("paths belong to an API by whole segments") {
    CHECK(net::api_of("/auth/v1") == net::api::auth);
    CHECK(net::api_of("/auth/v1/user") == net::api::auth);
    CHECK(net::api_of("/rest/v1/messages") == net::api::rest);
    CHECK(net::api_of("/functions/v1/x") == net::api::functions);
    CHECK(net::api_of("/storage/v1/object") == net::api::other);
    CHECK(net::api_of("/realtime/v1/websocket") == net::api::other);
    CHECK(net::api_of("/auth/v10") == net::api::page);
    CHECK(net::api_of("/") == net::api::page);
  }

  TEST_CASE_FIXTURE(gate_world, "an open route asks for nothing") {
    CHECK(enter(bare("GET", "/health"), caller::anyone).value().role == db_role::anon);
  }

  TEST_CASE_FIXTURE(gate_world, "without an API key nobody passes") {
    for (const auto allowed : {caller::key_holder, caller::principal, caller::user})
      CHECK(enter(bare("GET", "/rest/v1/messages"), allowed).error().reason ==
            "no_api_key");
  }

  TEST_CASE_FIXTURE(gate_world, "a key is not asked for when the setting says so") {
    CHECK(
        enter(bare("GET", "/rest/v1/messages"), caller::principal, false).has_value());
  }

  TEST_CASE_FIXTURE(gate_world,
                    "a GET may carry its key in the query, a POST may not") {
    auto get = bare("GET", "/rest/v1/messages?select=id&apikey=sb_secret_test");
    CHECK(enter(get, caller::principal).value().role == db_role::service_role);
    get.method = "POST";
    CHECK_FALSE(enter(get, caller::principal).has_value());
  }

  TEST_CASE_FIXTURE(gate_world, "the header wins over the query") {
    auto get = as_anon("GET", "/rest/v1/messages?apikey=sb_secret_test");
    CHECK(enter(get, caller::principal).value().role == db_role::anon);
  }

  TEST_CASE_FIXTURE(gate_world, "a wrong key is refused") {
    auto what = bare("GET", "/rest/v1/messages");
    what.headers.emplace_back("apikey", "sb_publishable_other");
    CHECK(enter(what, caller::principal).error().code == errc::unauthenticated);
  }

  TEST_CASE_FIXTURE(gate_world, "a good bearer token names the user") {
    const auto who = enter(as_user("GET", "/auth/v1/user"), caller::user);
    REQUIRE(who.has_value());
    CHECK(who->user == grant.user.id);
    CHECK(who->session == grant.session);
  }

  TEST_CASE_FIXTURE(gate_world, "the scheme's case does not matter") {
    auto what = as_user("GET", "/auth/v1/user");
    what.headers.back().second = "bEARER " + user_token();
    CHECK(enter(what, caller::user).has_value());
  }

  TEST_CASE_FIXTURE(gate_world, "a forged or expired bearer token is refused") {
    auto forged = user_token();
    forged.back() = forged.back() == 'A' ? 'Q' : 'A';
    CHECK_FALSE(
        enter(with_token(forged, "GET", "/rest/v1/x"), caller::principal).has_value());
    const auto old = user_token(std::chrono::seconds{-3600});
    CHECK_FALSE(
        enter(with_token(old, "GET", "/rest/v1/x"), caller::principal).has_value());
    CHECK_FALSE(enter(with_token("x", "GET", "/rest/v1/x"), caller::user).has_value());
  }

  TEST_CASE_FIXTURE(gate_world,
                    "where only the key counts a stale token does no harm") {
    const auto old = user_token(std::chrono::seconds{-3600});
    CHECK(enter(with_token(old, "POST", "/auth/v1/token"), caller::key_holder)
              .has_value());
  }

  TEST_CASE_FIXTURE(gate_world, "a route for users tells a missing token from a key") {
    auto what = bare("GET", "/auth/v1/user");
    what.headers.emplace_back("apikey", "sb_publishable_test");
    CHECK(enter(what, caller::user).error().reason == "no_bearer");
    what.headers.emplace_back("authorization", "Basic eDp5");
    CHECK(enter(what, caller::user).error().reason == "no_bearer");
    CHECK(enter(as_anon("GET", "/auth/v1/user"), caller::user).error().reason ==
          "no_user");
  }

  TEST_CASE("each API hears of a missing token in its own words") {
    const auto missing = error{errc::unauthenticated, "", "no_bearer", nullptr};
    const auto auth = net::refuse(missing, to("/auth/v1/user"), false);
    CHECK(auth.status == 401);
    CHECK(field(auth, "error_code") == "no_authorization");
    const auto function = net::refuse(missing, to("/functions/v1/x"), false);
    CHECK(function.status == 401);
    CHECK(field(function, "code") == "UNAUTHORIZED_NO_AUTH_HEADER");
  }

  TEST_CASE("an auth client of 2024 gets its version and a text code") {
    auto what = to("/auth/v1/user");
    what.headers.emplace_back("x-supabase-api-version", "2024-01-01");
    const auto answer = net::refuse(net::refusal{422, "signup_disabled", "No"}, what);
    CHECK(answer.status == 422);
    CHECK(answer.body == R"({"code":"signup_disabled","message":"No"})");
    CHECK(header(answer, "X-Supabase-Api-Version") == "2024-01-01");
  }

  TEST_CASE("an older auth client gets the status as its code") {
    auto what = to("/auth/v1/user");
    what.headers.emplace_back("x-supabase-api-version", "2023-12-31");
    const auto answer = net::refuse(net::refusal{422, "signup_disabled", "No"}, what);
    CHECK(answer.body == R"({"code":422,"error_code":"signup_disabled","msg":"No"})");
    CHECK(header(answer, "X-Sb-Error-Code") == "signup_disabled");
    CHECK(header(answer, "X-Supabase-Api-Version").empty());
  }

  TEST_CASE("the version also decides how domain errors look") {
    auto what = to("/auth/v1/user");
    const auto wrong = error{errc::unauthenticated, "", "invalid_credentials", nullptr};
    CHECK(field(net::refuse(wrong, what, false), "error_code") ==
          "invalid_credentials");
    what.headers.emplace_back("x-supabase-api-version", "2024-01-01");
    const auto answer = net::refuse(wrong, what, false);
    CHECK(answer.status == 400);
    CHECK(field(answer, "code") == "invalid_credentials");
    CHECK(header(answer, "X-Supabase-Api-Version") == "2024-01-01");
  }

  TEST_CASE("a path of no API is refused in the plain shape") {
    const auto answer =
        net::refuse(net::refusal{404, "NOT_FOUND", "No \"x\""}, to("/x"));
    CHECK(answer.status == 404);
    CHECK(answer.body == "{\"code\":\"NOT_FOUND\",\"message\":\"No \\\"x\\\"\"}");
    CHECK(header(answer, "Content-Type") == "application/json");
  }

  TEST_CASE("REST errors say their character set") {
    const auto down = error{errc::unavailable, "", {}, nullptr};
    const auto answer = net::refuse(down, to("/rest/v1/messages"), true);
    CHECK(answer.status == 503);
    CHECK(header(answer, "Content-Type") == "application/json; charset=utf-8");
    CHECK_FALSE(header(answer, "Retry-After").empty());
  }

  TEST_CASE("what went wrong inside is not told") {
    const auto broken = error{errc::internal, "password=hunter2", {}, nullptr};
    for (const auto* path : {"/auth/v1/user", "/rest/v1/x", "/functions/v1/x", "/x"}) {
      const auto answer = net::refuse(broken, to(path), true);
      CHECK(answer.status == 500);
      CHECK_FALSE(answer.body.contains("hunter2"));
    }
  }

  TEST_CASE("a preflight is granted what it asks for") {
    auto what = test::route_world::bare("OPTIONS", "/rest/v1/messages");
    what.headers = {{"origin", "https://app.example"},
                    {"access-control-request-method", "PATCH"},
                    {"access-control-request-headers", "apikey,x-mine"}};
    const auto answer = net::preflight(what).value();
    CHECK(answer.status == 204);
    CHECK(header(answer, "Access-Control-Allow-Headers") == "apikey,x-mine");
    CHECK(header(answer, "Access-Control-Allow-Methods") ==
          "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    CHECK(header(answer, "Access-Control-Max-Age") == "86400");
  }

  TEST_CASE("an OPTIONS that no browser sent is no preflight") {
    CHECK_FALSE(net::preflight(test::route_world::bare("OPTIONS", "/")).has_value());
    auto what = test::route_world::bare("GET", "/");
    what.headers = {{"origin", "x"}, {"access-control-request-method", "GET"}};
    CHECK_FALSE(net::preflight(what).has_value());
  }

} // TEST_SUITE
