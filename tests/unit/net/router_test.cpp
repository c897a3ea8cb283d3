#include "net/router.hpp"
#include "route_world.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

namespace {

using namespace jessica;
using test::field;
using test::header;
using test::route_world;

} // namespace

TEST_SUITE("net.router") {

  TEST_CASE_FIXTURE(route_world, "unknown paths are a 404 in JSON") {
    for (const auto* path :
         {"/storage/v1/object/list/x", "/auth/v1/nothing", "/auth/v1",
          "/realtime/v1/api/broadcasts", "/graphql/v1", "/missing.js"}) {
      const auto answer = ask(as_anon("GET", path));
      CHECK_MESSAGE(answer.status == 404, path);
      CHECK(header(answer, "Content-Type") == "application/json");
    }
    CHECK(field(ask(as_anon("GET", "/storage/v1/bucket")), "code") == "NOT_FOUND");
    CHECK(ask(bare("POST", "/nothing")).status == 404);
  }

  TEST_CASE_FIXTURE(route_world,
                    "a known path with a wrong method says which it takes") {
    const auto user = ask(as_user("DELETE", "/auth/v1/user"));
    CHECK(user.status == 405);
    CHECK(header(user, "Allow") == "GET, HEAD, PUT");
    const auto enqueue = ask(as_user("GET", "/functions/v1/enqueue-inference"));
    CHECK(enqueue.status == 405);
    CHECK(header(enqueue, "Allow") == "POST");
    CHECK(ask(bare("POST", "/health")).status == 405);
  }

  TEST_CASE_FIXTURE(route_world, "every answer can be read by pages of other origins") {
    for (const auto* path : {"/health", "/auth/v1/nothing", "/", "/rest/v1/messages"}) {
      const auto answer = ask(bare("GET", path));
      CHECK(header(answer, "Access-Control-Allow-Origin") == "*");
      CHECK(header(answer, "Access-Control-Expose-Headers").contains("content-range"));
    }
  }

  TEST_CASE_FIXTURE(route_world, "a preflight needs no key and reaches no actor") {
    auto what = bare("OPTIONS", "/functions/v1/enqueue-inference");
    what.headers = {{"origin", "https://app.example"},
                    {"access-control-request-method", "POST"},
                    {"access-control-request-headers", "authorization,apikey"}};
    const auto answer = ask(std::move(what));
    CHECK(answer.status == 204);
    CHECK(answer.body.empty());
    CHECK(header(answer, "Access-Control-Allow-Origin") == "*");
    CHECK(header(answer, "Access-Control-Allow-Headers") == "authorization,apikey");
  }

  TEST_CASE_FIXTURE(route_world, "a missing key is a 401 for every API") {
    for (const auto* path :
         {"/auth/v1/settings", "/rest/v1/messages", "/functions/v1/auth-proxy"})
      CHECK_MESSAGE(ask(bare("GET", path)).status == 401, path);
  }

  TEST_CASE_FIXTURE(route_world, "health says that the process is up") {
    CHECK(ask(bare("GET", "/health")).status == 200);
    CHECK(ask(bare("HEAD", "/health")).status == 200);
  }

  TEST_CASE_FIXTURE(route_world,
                    "the server is ready when the database says anything") {
    finding.say = [](const auto&) -> result<account> {
      return fail(errc::forbidden, "", "user_not_found");
    };
    CHECK(ask(bare("GET", "/ready")).status == 200);
    CHECK(finding.asked.value().user.none());
  }

  TEST_CASE_FIXTURE(route_world, "the server is not ready without its database") {
    finding.say = [](const auto&) -> result<account> {
      return fail(errc::unavailable, "connection refused");
    };
    CHECK(ask(bare("GET", "/ready")).status == 503);
  }

  TEST_CASE_FIXTURE(route_world, "metrics are one text page") {
    const auto answer = ask(bare("GET", "/metrics"));
    CHECK(answer.body == "jessica_up 1\n");
    CHECK(header(answer, "Content-Type") == "text/plain; version=0.0.4");
  }

  TEST_CASE_FIXTURE(route_world, "the page learns its key") {
    const auto answer = ask(bare("GET", "/client.json"));
    CHECK(answer.body == R"({"url":"","anon_key":"sb_publishable_test"})");
    CHECK(header(answer, "Cache-Control") == "no-store");
  }

  TEST_CASE_FIXTURE(route_world, "other paths are the page's") {
    const auto answer = ask(bare("GET", "/"));
    CHECK(answer.status == 200);
    CHECK(answer.body.contains("./dev up"));
    CHECK(ask(bare("GET", "/../etc/passwd")).status == 404);
  }

  TEST_CASE_FIXTURE(route_world, "an exception in a route is a 500 without its text") {
    with.metrics = []() -> std::string { throw std::runtime_error{"hunter2"}; };
    const auto answer = ask(bare("GET", "/metrics"));
    CHECK(answer.status == 500);
    CHECK_FALSE(answer.body.contains("hunter2"));
    CHECK(header(answer, "Access-Control-Allow-Origin") == "*");
  }

  TEST_CASE_FIXTURE(route_world, "an actor that never answers is a timeout") {
    finding.silent = true;
    with.settings.net.request_timeout = std::chrono::seconds{0};
    CHECK(ask(as_user("GET", "/auth/v1/user")).status == 504);
  }

  TEST_CASE_FIXTURE(route_world, "an actor that is gone is no crash") {
    caf::anon_send_exit(with.rest_readers, caf::exit_reason::kill);
    CHECK(ask(as_user("GET", "/rest/v1/messages")).status == 503);
  }

} // TEST_SUITE
