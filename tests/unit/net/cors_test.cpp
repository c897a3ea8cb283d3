// Every route, whatever it says, can be read by pages of other origins.
#include "net/routes.hpp"
#include "route_world.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>

namespace {

using namespace jessica;
using test::header;

/// A path the row answers.
[[nodiscard]] std::string path_of(const net::route& row) {
  auto path = std::string{row.path};
  if (path.ends_with('*'))
    path.back() = 'x';
  return path;
}

[[nodiscard]] std::string method_of(const net::route& row) {
  return std::string{row.method == "*" ? "POST" : row.method};
}

void check_cors(const net::http_response& answer, const std::string& what) {
  CHECK_MESSAGE(header(answer, "Access-Control-Allow-Origin") == "*", what);
  const auto exposed = header(answer, "Access-Control-Expose-Headers");
  for (const auto* name : {"content-range", "location", "preference-applied",
                           "x-sb-error-code", "x-relay-error", "retry-after"})
    CHECK_MESSAGE(exposed.contains(name), what);
}

template <class Each> void for_each_route(Each each) {
  for (const auto& table : net::route_tables())
    for (const auto& row : table)
      each(row);
}

} // namespace

TEST_SUITE("net.cors") {

  TEST_CASE_FIXTURE(test::route_world, "a preflight of any route is answered") {
    for_each_route([&](const net::route& row) {
      auto what = bare("OPTIONS", path_of(row));
      what.headers = {{"origin", "https://app.example"},
                      {"access-control-request-method", method_of(row)},
                      {"access-control-request-headers", "authorization,x-own"}};
      const auto answer = ask(std::move(what));
      CHECK_MESSAGE(answer.status == 204, row.path);
      CHECK_MESSAGE(header(answer, "Access-Control-Allow-Headers") ==
                        "authorization,x-own",
                    row.path);
      CHECK(header(answer, "Access-Control-Allow-Methods").contains("PATCH"));
      check_cors(answer, path_of(row));
    });
  }

  TEST_CASE_FIXTURE(test::route_world, "a refusal of any route says so") {
    auto seen = 0;
    for_each_route([&](const net::route& row) {
      const auto path = path_of(row);
      auto keyless = bare(method_of(row), path);
      check_cors(ask(std::move(keyless)), path + " without a key");
      const auto broken = ask(as_user(method_of(row), path, "{\"broken"));
      check_cors(broken, path + " with a broken body");
      check_cors(ask(as_user("BREW", path)), path + " with another method");
      seen += broken.status >= 400 ? 1 : 0;
    });
    CHECK(seen > 10);
  }

  TEST_CASE_FIXTURE(test::route_world, "a success of any route does") {
    auto seen = 0;
    for_each_route([&](const net::route& row) {
      const auto answer = ask(as_user(method_of(row), path_of(row), "{}"));
      check_cors(answer, path_of(row));
      seen += answer.status < 300 ? 1 : 0;
    });
    CHECK(seen > 3);
  }
}
