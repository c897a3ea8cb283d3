#include "wire/openai_problem.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

TEST_SUITE("wire.openai_problem") {
  using namespace jessica;
  using namespace jessica::wire;

  namespace {
  problem of(errc code, std::string what, std::string reason) {
    return openai_problem(error{code, std::move(what), std::move(reason), nullptr});
  }
  bool comes_back(const problem& what) {
    return !what.headers.empty() && what.headers.front().first == "Retry-After";
  }
  } // namespace

  TEST_CASE("a refusal has OpenAI's shape") {
    const auto made = openai_problem(openai_refusal{400, "c", "say \"x\"", "p[0]"});
    CHECK(made.status == 400);
    CHECK(made.body == R"({"error":{"message":"say \"x\"","type":)"
                       R"("invalid_request_error","param":"p[0]","code":"c"}})");
    CHECK(made.headers.empty());
    CHECK(
        openai_problem(openai_refusal{400, "c", "m"}).body.contains(R"("param":null)"));
  }

  TEST_CASE("errors become the status a client acts on") {
    CHECK(of(errc::unauthenticated, "x", "no_bearer").status == 401);
    CHECK(of(errc::unauthenticated, "x", "expired").body.contains("token_expired"));
    CHECK(of(errc::unauthenticated, "x", "signature").body.contains("invalid_api_key"));
    CHECK(of(errc::not_found, "x", "model_not_found")
              .body.contains(R"("code":"model_not_found")"));
    CHECK(of(errc::too_large, "too big", "").status == 413);
    CHECK(of(errc::overloaded, "x", "too_many_of_user").status == 429);
    CHECK(of(errc::timeout, "x", "").status == 504);
    CHECK(of(errc::unavailable, "x", "").status == 503);
    CHECK(comes_back(of(errc::unavailable, "x", "")));
    CHECK(comes_back(of(errc::overloaded, "x", "")));
    CHECK(!comes_back(of(errc::timeout, "x", "")));
  }

  TEST_CASE("only what the asker did wrong is quoted") {
    CHECK(of(errc::invalid_input, "the input", "").body.contains("the input"));
    const auto ours = of(errc::internal, "a password", "");
    CHECK(ours.status == 500);
    CHECK(!ours.body.contains("password"));
    CHECK(ours.body.contains(R"("type":"server_error")"));
  }
  TEST_CASE("an exceeded quota says which, and that its client need not try again") {
    const auto raised =
        sql_fault{"PGRST",
                  R"({"code":"quota_exceeded","message":"m","hint":null,"details":)"
                  R"("{\"code\":\"quota_exceeded\",\"limit\":\"replies_per_day\",)"
                  R"(\"retry_after\":7}"})",
                  {},
                  {}};
    const auto told = openai_problem(error{errc::overloaded, "x", "quota_exceeded",
                                           std::make_shared<const sql_fault>(raised)});
    CHECK(told.status == 429);
    CHECK(told.body.contains(R"("code":"quota_exceeded")"));
    CHECK(told.body.contains(R"("type":"insufficient_quota")"));
    CHECK(told.body.contains(R"("limit":"replies_per_day")"));
    using header = std::pair<std::string, std::string>;
    CHECK(std::ranges::contains(told.headers, header{"Retry-After", "7"}));
    CHECK(std::ranges::contains(told.headers, header{"x-should-retry", "false"}));
  }
}
