#include "wire/problem.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

TEST_SUITE_BEGIN("wire.rest_problem");

namespace jessica::wire {
namespace {

[[nodiscard]] problem of_sql(std::string sqlstate, bool signed_in = true,
                             std::string message = "m", std::string detail = {},
                             std::string hint = {}) {
  auto what = error{};
  what.sql = std::make_shared<sql_fault>(std::move(sqlstate), std::move(message),
                                         std::move(detail), std::move(hint));
  return rest_problem(what, signed_in);
}

[[nodiscard]] problem of(errc code, std::string reason = {}, std::string what = "w",
                         bool signed_in = true) {
  return rest_problem({code, std::move(what), std::move(reason), nullptr}, signed_in);
}

[[nodiscard]] std::string header_of(const problem& made, std::string_view name) {
  for (const auto& [key, value] : made.headers) {
    if (key == name)
      return value;
  }
  return {};
}

TEST_CASE("a PostgreSQL error keeps state, message, detail and hint") {
  CHECK(of_sql("23505", true, "dup \"x\"", "Key id=1", "try another").body ==
        R"({"code":"23505","details":"Key id=1","hint":"try another",)"
        R"("message":"dup \"x\""})");
}

TEST_CASE("what PostgreSQL did not say is null, and all four keys are there") {
  CHECK(of_sql("42703", true, "no column").body ==
        R"({"code":"42703","details":null,"hint":null,"message":"no column"})");
}

TEST_CASE("every SQLSTATE of the table has its status") {
  struct row {
    const char* sqlstate;
    int status;
  };
  for (const auto& [sqlstate, status] :
       std::vector<row>{{"08006", 503}, {"53300", 503}, {"57P01", 503}, {"53400", 500},
                        {"23503", 409}, {"23505", 409}, {"25006", 405}, {"21000", 500},
                        {"42883", 404}, {"42P01", 404}, {"P0001", 400}, {"PT418", 418},
                        {"09000", 500}, {"25000", 500}, {"2D000", 500}, {"38000", 500},
                        {"39000", 500}, {"3B000", 500}, {"40001", 500}, {"54000", 500},
                        {"55000", 500}, {"57014", 500}, {"58000", 500}, {"F0000", 500},
                        {"HV000", 500}, {"P0000", 500}, {"XX000", 500}, {"42P17", 500},
                        {"0L000", 403}, {"0P000", 403}, {"28000", 403}, {"22P02", 400},
                        {"23502", 400}, {"23514", 400}, {"42703", 400}, {"22023", 400},
                        {"ZZZZZ", 400}, {"x", 400}}) {
    CAPTURE(sqlstate);
    CHECK(of_sql(sqlstate).status == status);
  }
}

TEST_CASE("a refusal of row security depends on who asked") {
  CHECK(of_sql("42501", true).status == 403);
  CHECK(header_of(of_sql("42501", true), "WWW-Authenticate").empty());
  CHECK(of_sql("42501", false).status == 401);
  CHECK(header_of(of_sql("42501", false), "WWW-Authenticate") == "Bearer");
}

TEST_CASE("two states depend on their message") {
  CHECK(of_sql("21000", true, "UPDATE requires a WHERE clause").status == 400);
  CHECK(of_sql("22023", true, "role \"x\" does not exist").status == 401);
  CHECK(of_sql("22023", true, "schema does not exist").status == 400);
}

TEST_CASE("a function may raise its own status, if it is one") {
  CHECK(of_sql("PT404", true, "gone").body.contains(R"("message":"gone")"));
  CHECK(of_sql("PT200").status == 200);
  CHECK(of_sql("PT599").status == 599);
  for (const auto* sqlstate : {"PT100", "PT600", "PT40x", "PT-40", "PT+40"}) {
    CAPTURE(sqlstate);
    CHECK(of_sql(sqlstate).status == 400);
  }
}

TEST_CASE("a function may raise a whole answer") {
  const auto made = of_sql(
      "PGRST", true, R"({"code":"123","message":"Teapot","details":"d","hint":null})",
      R"({"status":418,"headers":{}})");
  CHECK(made.status == 418);
  CHECK(made.body == R"({"code":"123","details":"d","hint":null,"message":"Teapot"})");
  const auto with_headers = of_sql("PGRST", true, R"({"code":"1","message":"m"})",
                                   R"({"status":418,"headers":{"X-Tea":"green"}})");
  CHECK(header_of(with_headers, "X-Tea") == "green");
}

TEST_CASE("a raised answer that cannot be read is a fault of the function") {
  const auto good_message = R"({"code":"1","message":"m"})";
  for (const auto& [message, detail] : std::vector<std::pair<std::string, std::string>>{
           {"Teapot", R"({"status":418})"},
           {good_message, "418"},
           {good_message, ""},
           {good_message, R"({"status":"418"})"},
           {good_message, R"({"status":99})"},
           {good_message, R"({"status":1e300})"},
           {good_message, R"({"status":418,"headers":{"X-Tea":5}})"},
           {good_message, R"({"status":418,"headers":[]})"},
           {R"({"message":"m"})", R"({"status":418})"},
           {R"({"code":5,"message":"m"})", R"({"status":418})"},
           {R"({"code":"1","message":"m","hint":[]})", R"({"status":418})"}}) {
    CAPTURE(message);
    CAPTURE(detail);
    const auto made = of_sql("PGRST", true, message, detail);
    CHECK(made.status == 500);
    CHECK(made.body.contains("PGRST121"));
  }
}

TEST_CASE("a lost database asks the client to come back") {
  CHECK(header_of(of_sql("08006"), "Retry-After") == "1");
  CHECK(header_of(of_sql("53300"), "Retry-After") == "1");
  CHECK(header_of(of_sql("23505"), "Retry-After").empty());
}

TEST_CASE("PostgREST's own codes come with the error's text") {
  CHECK(of(errc::invalid_input, "PGRST100", "failed to parse filter").body ==
        R"({"code":"PGRST100","details":null,"hint":null,)"
        R"("message":"failed to parse filter"})");
  struct row {
    const char* code;
    int status;
  };
  for (const auto& [code, status] : std::vector<row>{
           {"PGRST000", 503}, {"PGRST002", 503}, {"PGRST003", 504}, {"PGRST100", 400},
           {"PGRST101", 405}, {"PGRST102", 400}, {"PGRST103", 416}, {"PGRST106", 406},
           {"PGRST107", 406}, {"PGRST108", 400}, {"PGRST116", 406}, {"PGRST117", 405},
           {"PGRST122", 400}, {"PGRST123", 400}, {"PGRST124", 400}, {"PGRST125", 404},
           {"PGRST126", 404}, {"PGRST200", 400}, {"PGRST202", 404}, {"PGRST203", 300},
           {"PGRST204", 400}, {"PGRST205", 404}}) {
    CAPTURE(code);
    CHECK(of(errc::not_found, code).status == status);
    CHECK(of_sql(code).status == status);
  }
}

TEST_CASE("a PGRST code may bring details and hint by way of the SQL fault") {
  const auto made = of_sql("PGRST103", true, "Requested range not satisfiable",
                           "An offset of 9 was requested", "");
  CHECK(made.status == 416);
  CHECK(made.body == R"({"code":"PGRST103","details":"An offset of 9 was requested",)"
                     R"("hint":null,"message":"Requested range not satisfiable"})");
}

TEST_CASE("a token that cannot be decoded is PGRST301") {
  const auto made =
      of(errc::unauthenticated, "malformed", "Expected 3 parts in JWT; got 1");
  CHECK(made.status == 401);
  CHECK(made.body == R"({"code":"PGRST301","details":null,"hint":null,)"
                     R"("message":"Expected 3 parts in JWT; got 1"})");
  CHECK(header_of(made, "WWW-Authenticate") ==
        R"(Bearer error="invalid_token", )"
        R"(error_description="Expected 3 parts in JWT; got 1")");
  CHECK(of(errc::unauthenticated, "signature", "told to the log only").body ==
        R"({"code":"PGRST301","details":"None of the keys was able to decode the JWT",)"
        R"("hint":null,"message":"No suitable key or wrong key type"})");
}

TEST_CASE("a token whose claims fail is PGRST303") {
  const auto made =
      of(errc::unauthenticated, "expired", "Token has expired 5 seconds ago");
  CHECK(made.status == 401);
  CHECK(made.body == R"({"code":"PGRST303","details":null,"hint":null,)"
                     R"("message":"JWT expired"})");
  CHECK(header_of(made, "WWW-Authenticate") ==
        R"(Bearer error="invalid_token", error_description="JWT expired")");
  for (const auto* reason : {"not_yet_valid", "claims"})
    CHECK(of(errc::unauthenticated, reason).body.contains(R"("code":"PGRST303")"));
}

TEST_CASE("codes without a reason have their own answers") {
  struct row {
    errc code;
    int status;
    const char* answer;
  };
  for (const auto& [code, status, answer] :
       std::vector<row>{{errc::invalid_input, 400, "PGRST100"},
                        {errc::unauthenticated, 401, "PGRST302"},
                        {errc::forbidden, 403, "42501"},
                        {errc::not_found, 404, "PGRST125"},
                        {errc::conflict, 409, "23505"},
                        {errc::too_large, 413, "too_large"},
                        {errc::overloaded, 503, "overloaded"},
                        {errc::unavailable, 503, "PGRST000"},
                        {errc::timeout, 504, "PGRST003"},
                        {errc::internal, 500, "PGRSTX00"}}) {
    CAPTURE(name(code));
    const auto made = of(code);
    CHECK(made.status == status);
    CHECK(boost::json::parse(made.body).at("code").as_string() == answer);
  }
  CHECK(of(errc::forbidden, "", "w", false).status == 401);
}

TEST_CASE("bad keys, bodies and methods are told in the API's words") {
  CHECK(of(errc::unauthenticated, "api_key").body ==
        R"({"message":"Invalid API key"})");
  CHECK(of(errc::unauthenticated, "api_key").status == 401);
  CHECK(of(errc::invalid_input, "bad_json").body.contains("PGRST102"));
  CHECK(of(errc::invalid_input, "method_not_allowed").status == 405);
}

} // namespace
} // namespace jessica::wire

TEST_SUITE_END();
