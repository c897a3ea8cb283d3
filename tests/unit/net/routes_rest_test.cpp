#include "route_world.hpp"

#include <doctest/doctest.h>

namespace {

using namespace jessica;
using test::field;
using test::header;

struct rest_world : test::route_world {
  table_page page{R"([{"id":1}, {"id":2}])", 2, std::nullopt};

  rest_world() {
    selecting.say = [this](const auto&) -> result<table_page> { return page; };
  }

  net::http_response get(std::string_view target, net::header_list headers = {}) {
    auto what = as_user("GET", target);
    for (auto& one : headers)
      what.headers.push_back(std::move(one));
    return ask(std::move(what));
  }
};

const auto one_object =
    net::header_list{{"accept", "application/vnd.pgrst.object+json"}};

} // namespace

TEST_SUITE("net.routes_rest") {

  TEST_CASE_FIXTURE(rest_world, "a read gives the rows as the database built them") {
    const auto answer =
        get("/rest/v1/messages?select=id&role=eq.user", {{"accept-profile", "public"}});
    CHECK(answer.status == 200);
    CHECK(answer.body == page.json);
    CHECK(header(answer, "Content-Type") == "application/json; charset=utf-8");
    CHECK(header(answer, "Content-Range") == "0-1/*");
    CHECK(header(answer, "Content-Location") == "/messages?select=id&role=eq.user");
    CHECK(header(answer, "Content-Profile") == "public");
    CHECK(header(answer, "Preference-Applied").empty());
    const auto& asked = selecting.asked.value();
    CHECK(asked.query.table == "messages");
    CHECK(asked.query.filters.size() == 1);
    CHECK(asked.who.user == grant.user.id);
  }

  TEST_CASE_FIXTURE(rest_world, "a signed-out reader is anon") {
    CHECK(ask(as_anon("GET", "/rest/v1/messages")).status == 200);
    CHECK(selecting.asked.value().who.role == db_role::anon);
  }

  TEST_CASE_FIXTURE(rest_world, "HEAD is answered like GET") {
    auto what = as_user("HEAD", "/rest/v1/messages?select=*");
    what.headers.emplace_back("prefer", "count=exact");
    page.total = 2;
    const auto answer = ask(std::move(what));
    CHECK(answer.status == 200);
    CHECK(header(answer, "Content-Range") == "0-1/2");
  }

  TEST_CASE_FIXTURE(rest_world, "a count tells a part from the whole") {
    page.total = 2;
    const auto whole = get("/rest/v1/messages", {{"prefer", "count=exact"}});
    CHECK(whole.status == 200);
    CHECK(header(whole, "Content-Range") == "0-1/2");
    CHECK(header(whole, "Preference-Applied") == "count=exact");
    page.total = 9;
    const auto part =
        get("/rest/v1/messages?offset=4&limit=2", {{"prefer", "count=exact"}});
    CHECK(part.status == 206);
    CHECK(header(part, "Content-Range") == "4-5/9");
  }

  TEST_CASE_FIXTURE(rest_world, "an empty table has an empty range") {
    page = {"[]", 0, std::nullopt};
    CHECK(header(get("/rest/v1/messages"), "Content-Range") == "*/*");
    page.total = 0;
    const auto counted = get("/rest/v1/messages", {{"prefer", "count=exact"}});
    CHECK(counted.status == 200);
    CHECK(header(counted, "Content-Range") == "*/0");
  }

  TEST_CASE_FIXTURE(rest_world, "an offset beyond the end is a 416") {
    page = {"[]", 0, 3};
    const auto answer = get("/rest/v1/messages?offset=4", {{"prefer", "count=exact"}});
    CHECK(answer.status == 416);
    CHECK(header(answer, "Content-Range") == "*/3");
    CHECK(field(answer, "code") == "PGRST103");
    CHECK(field(answer, "message") == "Requested range not satisfiable");
    CHECK(field(answer, "details") ==
          "An offset of 4 was requested, but there are only 3 rows.");
    CHECK(get("/rest/v1/messages?offset=3", {{"prefer", "count=exact"}}).status == 206);
  }

  TEST_CASE_FIXTURE(rest_world, "one row may be asked for as an object") {
    page = {R"([{"id":1,"tags":["a]"]}])", 1, std::nullopt};
    const auto answer = get("/rest/v1/messages", one_object);
    CHECK(answer.status == 200);
    CHECK(answer.body == R"({"id":1,"tags":["a]"]})");
    CHECK(header(answer, "Content-Type") ==
          "application/vnd.pgrst.object+json; charset=utf-8");
  }

  TEST_CASE_FIXTURE(rest_world, "none or several rows are no object") {
    const auto several = get("/rest/v1/messages", one_object);
    CHECK(several.status == 406);
    CHECK(field(several, "code") == "PGRST116");
    CHECK(field(several, "details") == "The result contains 2 rows");
    CHECK(field(several, "message") ==
          "Cannot coerce the result to a single JSON object");
    page = {"[]", 0, std::nullopt};
    CHECK(field(get("/rest/v1/messages", one_object), "details") ==
          "The result contains 0 rows");
  }

  TEST_CASE_FIXTURE(rest_world, "the first media type that we have is taken") {
    for (const auto* types :
         {"", "*/*", "application/json", "text/html, application/json;q=0.9",
          "text/html,*/*;q=0.1", "application/vnd.pgrst.array+json"})
      CHECK_MESSAGE(get("/rest/v1/messages", {{"accept", types}}).status == 200, types);
  }

  TEST_CASE_FIXTURE(rest_world, "media types that we have not are refused") {
    for (const auto* types :
         {"text/csv", "application/geo+json", "application/vnd.pgrst.plan+json",
          "application/vnd.pgrst.object+json;nulls=stripped", "nonsense"}) {
      const auto answer = get("/rest/v1/messages", {{"accept", types}});
      CHECK_MESSAGE(answer.status == 406, types);
      CHECK(field(answer, "code") == "PGRST107");
      CHECK(field(answer, "message") ==
            std::string{"None of these media types are available: "} + types);
    }
    CHECK_FALSE(selecting.asked.has_value());
  }

  TEST_CASE_FIXTURE(rest_world, "only the public schema is exposed") {
    const auto answer = get("/rest/v1/users", {{"accept-profile", "auth"}});
    CHECK(answer.status == 406);
    CHECK(field(answer, "code") == "PGRST106");
    CHECK(field(answer, "message") == "Invalid schema: auth");
    CHECK(field(answer, "hint") == "Only the following schemas are exposed: public");
    CHECK_FALSE(selecting.asked.has_value());
  }

  TEST_CASE_FIXTURE(rest_world, "a key in the query is no filter and is not repeated") {
    const auto answer =
        ask(bare("GET", "/rest/v1/messages?apikey=sb_publishable_test&limit=1"));
    CHECK(answer.status == 200);
    CHECK(header(answer, "Content-Location") == "/messages?limit=1");
    CHECK(selecting.asked.value().query.filters.empty());
  }

  TEST_CASE_FIXTURE(rest_world, "table names are decoded, and one segment") {
    CHECK(get("/rest/v1/my%20table").status == 200);
    CHECK(selecting.asked.value().query.table == "my table");
    for (const auto* path : {"/rest/v1/a/b", "/rest/v1/a%2Fb", "/rest/v1/%zz"}) {
      const auto answer = get(path);
      CHECK(answer.status == 404);
      CHECK(field(answer, "code") == "PGRST125");
    }
  }

  TEST_CASE_FIXTURE(rest_world, "the root tells nothing") {
    for (const auto* path : {"/rest/v1", "/rest/v1/"}) {
      const auto answer = get(path);
      CHECK(answer.status == 404);
      CHECK(field(answer, "code") == "PGRST126");
    }
  }

  TEST_CASE_FIXTURE(rest_world, "a query that cannot be read is a 400") {
    const auto filter = get("/rest/v1/messages?id=nonsense.1");
    CHECK(filter.status == 400);
    CHECK(field(filter, "code") == "PGRST100");
    CHECK(get("/rest/v1/messages?id=%zz").status == 400);
    CHECK(field(get("/rest/v1/messages?select=*,author(*)"), "code") == "PGRST200");
    CHECK(get("/rest/v1/messages?limit=-1").status == 416);
    CHECK_FALSE(selecting.asked.has_value());
  }

  TEST_CASE_FIXTURE(rest_world, "what PostgreSQL says is handed on") {
    selecting.say = [](const auto&) -> result<table_page> {
      return std::unexpected{
          error{errc::invalid_input,
                "refused",
                {},
                std::make_shared<const sql_fault>(sql_fault{
                    "42703", "column messages.x does not exist", "", "a hint"})}};
    };
    const auto answer = get("/rest/v1/messages?x=eq.1");
    CHECK(answer.status == 400);
    CHECK(field(answer, "code") == "42703");
    CHECK(field(answer, "message") == "column messages.x does not exist");
    CHECK(field(answer, "hint") == "a hint");
  }

  TEST_CASE_FIXTURE(rest_world, "a denied privilege is 403 signed in and 401 as anon") {
    selecting.say = [](const auto&) -> result<table_page> {
      return std::unexpected{error{errc::forbidden,
                                   "refused",
                                   {},
                                   std::make_shared<const sql_fault>(sql_fault{
                                       "42501", "permission denied", "", ""})}};
    };
    CHECK(get("/rest/v1/messages").status == 403);
    CHECK(ask(as_anon("GET", "/rest/v1/messages")).status == 401);
  }

  TEST_CASE_FIXTURE(rest_world, "an unknown table is a 404") {
    selecting.say = [](const auto&) -> result<table_page> {
      return fail(errc::not_found,
                  "Could not find the table 'public.x' in the schema cache",
                  "PGRST205");
    };
    const auto answer = get("/rest/v1/x");
    CHECK(answer.status == 404);
    CHECK(field(answer, "code") == "PGRST205");
  }

  TEST_CASE_FIXTURE(rest_world, "full queues and a lost database can be retried") {
    for (const auto& [code, status] :
         {std::pair{errc::overloaded, 429}, std::pair{errc::unavailable, 503}}) {
      selecting.say = [&](const auto&) -> result<table_page> {
        return fail(code, "x");
      };
      const auto answer = get("/rest/v1/messages");
      CHECK(answer.status == status);
      CHECK_FALSE(header(answer, "Retry-After").empty());
    }
  }

  TEST_CASE_FIXTURE(rest_world, "writing is refused, not ignored") {
    for (const auto* method : {"POST", "PATCH", "PUT", "DELETE"}) {
      const auto answer = ask(as_user(method, "/rest/v1/messages", "{}"));
      CHECK(answer.status == 405);
      CHECK(field(answer, "code") == "PGRST117");
      CHECK(header(answer, "Allow") == "GET, HEAD");
    }
    CHECK(ask(as_user("POST", "/rest/v1/rpc/add", "{}")).status == 405);
    CHECK_FALSE(selecting.asked.has_value());
  }

  TEST_CASE_FIXTURE(rest_world, "a bad token is told as REST does") {
    const auto old = user_token(std::chrono::seconds{-3600});
    const auto expired = ask(with_token(old, "GET", "/rest/v1/messages"));
    CHECK(expired.status == 401);
    CHECK(field(expired, "code") == "PGRST303");
    CHECK(header(expired, "WWW-Authenticate").contains("invalid_token"));
    const auto broken = ask(with_token("x", "GET", "/rest/v1/messages"));
    CHECK(broken.status == 401);
    CHECK(field(broken, "code") == "PGRST301");
    CHECK_FALSE(selecting.asked.has_value());
  }

} // TEST_SUITE
