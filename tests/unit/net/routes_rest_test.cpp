#include "route_world.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace jessica;
using test::field;
using test::header;

[[nodiscard]] rest_reply rows(std::string body, std::int64_t count,
                              std::optional<std::int64_t> total = {}) {
  auto reply = rest_reply{};
  reply.body = std::move(body);
  reply.rows = count;
  reply.total = total;
  return reply;
}

/// What PostgreSQL refused.
[[nodiscard]] std::unexpected<error> refused(errc code, sql_fault fault) {
  return std::unexpected{
      error{code, "refused", {}, std::make_shared<const sql_fault>(std::move(fault))}};
}

struct rest_world : test::route_world {
  rest_reply reply = rows(R"([{"id":1}, {"id":2}])", 2);

  rest_world() {
    rest_reading.say = [this](const auto&) -> result<rest_reply> { return reply; };
    rest_writing.say = rest_reading.say;
  }

  net::http_response send(std::string method, std::string_view target,
                          std::string body = {}, net::header_list headers = {}) {
    auto what = as_user(std::move(method), target, std::move(body));
    for (auto& one : headers)
      what.headers.push_back(std::move(one));
    return ask(std::move(what));
  }
  net::http_response get(std::string_view target, net::header_list headers = {}) {
    return send("GET", target, {}, std::move(headers));
  }
  [[nodiscard]] const rest_request& read() const {
    return *rest_reading.asked.value().what;
  }
  [[nodiscard]] const rest_request& written() const {
    return *rest_writing.asked.value().what;
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
    CHECK(answer.body == reply.body);
    CHECK(header(answer, "Content-Type") == "application/json; charset=utf-8");
    CHECK(header(answer, "Content-Range") == "0-1/*");
    CHECK(header(answer, "Content-Location") == "/messages?select=id&role=eq.user");
    CHECK(header(answer, "Content-Profile") == "public");
    CHECK(header(answer, "Preference-Applied").empty());
    CHECK(read().target == "messages");
    CHECK(read().action == rest_action::read);
    CHECK(read().what.conditions.size() == 1);
    CHECK(read().who.user == grant.user.id);
    CHECK(read().path == "/messages");
    CHECK_FALSE(rest_writing.asked.has_value());
  }

  TEST_CASE_FIXTURE(rest_world, "a signed-out reader is anon") {
    CHECK(ask(as_anon("GET", "/rest/v1/messages")).status == 200);
    CHECK(read().who.role == db_role::anon);
  }

  TEST_CASE_FIXTURE(rest_world, "HEAD is answered like GET") {
    auto what = as_user("HEAD", "/rest/v1/messages?select=*");
    what.headers.emplace_back("prefer", "count=exact");
    reply.total = 2;
    const auto answer = ask(std::move(what));
    CHECK(read().head);
    CHECK(answer.status == 200);
    CHECK(header(answer, "Content-Range") == "0-1/2");
  }

  TEST_CASE_FIXTURE(rest_world, "a count tells a part from the whole") {
    reply.total = 2;
    const auto whole = get("/rest/v1/messages", {{"prefer", "count=exact"}});
    CHECK(whole.status == 200);
    CHECK(header(whole, "Content-Range") == "0-1/2");
    CHECK(header(whole, "Preference-Applied") == "count=exact");
    reply.total = 9;
    const auto part =
        get("/rest/v1/messages?offset=4&limit=2", {{"prefer", "count=exact"}});
    CHECK(part.status == 206);
    CHECK(header(part, "Content-Range") == "4-5/9");
  }

  TEST_CASE_FIXTURE(rest_world, "an empty table has an empty range") {
    reply = rows("[]", 0);
    CHECK(header(get("/rest/v1/messages"), "Content-Range") == "*/*");
    reply.total = 0;
    const auto counted = get("/rest/v1/messages", {{"prefer", "count=exact"}});
    CHECK(counted.status == 200);
    CHECK(header(counted, "Content-Range") == "*/0");
  }

  TEST_CASE_FIXTURE(rest_world, "an offset beyond the end is a 416") {
    reply = rows("[]", 0, 3);
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
    reply = rows(R"({"id":1})", 1);
    const auto answer = get("/rest/v1/messages", one_object);
    CHECK(read().as == result_shape::object);
    CHECK(answer.status == 200);
    CHECK(answer.body == R"({"id":1})");
    CHECK(header(answer, "Content-Type") ==
          "application/vnd.pgrst.object+json; charset=utf-8");
  }

  TEST_CASE_FIXTURE(rest_world, "none or several rows are no object") {
    rest_reading.say = [](const auto&) -> result<rest_reply> {
      return refused(errc::invalid_input,
                     {"PGRST116", "Cannot coerce the result to a single JSON object",
                      "The result contains 2 rows", ""});
    };
    const auto several = get("/rest/v1/messages", one_object);
    CHECK(several.status == 406);
    CHECK(field(several, "code") == "PGRST116");
    CHECK(field(several, "details") == "The result contains 2 rows");
  }

  TEST_CASE_FIXTURE(rest_world, "the first media type that we have is taken") {
    for (const auto* types :
         {"", "*/*", "application/json", "text/html, application/json;q=0.9",
          "text/html,*/*;q=0.1", "application/vnd.pgrst.array+json", "text/csv",
          "application/vnd.pgrst.array+json;nulls=stripped"})
      CHECK_MESSAGE(get("/rest/v1/messages", {{"accept", types}}).status == 200, types);
  }

  TEST_CASE_FIXTURE(rest_world, "media types that we have not are refused") {
    for (const auto* types :
         {"application/geo+json", "application/vnd.pgrst.plan+json", "nonsense"}) {
      const auto answer = get("/rest/v1/messages", {{"accept", types}});
      CHECK_MESSAGE(answer.status == 406, types);
      CHECK(field(answer, "code") == "PGRST107");
      CHECK(field(answer, "message") ==
            std::string{"None of these media types are available: "} + types);
    }
    CHECK_FALSE(rest_reading.asked.has_value());
  }

  TEST_CASE_FIXTURE(rest_world, "only the public schema is exposed") {
    const auto answer = get("/rest/v1/users", {{"accept-profile", "auth"}});
    CHECK(answer.status == 406);
    CHECK(field(answer, "code") == "PGRST106");
    CHECK(field(answer, "message") == "Invalid schema: auth");
    CHECK(field(answer, "hint") == "Only the following schemas are exposed: public");
    CHECK_FALSE(rest_reading.asked.has_value());
  }

  TEST_CASE_FIXTURE(rest_world, "a key in the query is no filter and is not repeated") {
    const auto answer =
        ask(bare("GET", "/rest/v1/messages?apikey=sb_publishable_test&limit=1"));
    CHECK(answer.status == 200);
    CHECK(header(answer, "Content-Location") == "/messages?limit=1");
    CHECK(read().what.conditions.empty());
  }

  TEST_CASE_FIXTURE(rest_world, "table names are decoded, and one segment") {
    CHECK(get("/rest/v1/my%20table").status == 200);
    CHECK(read().target == "my table");
    for (const auto* path : {"/rest/v1/a/b", "/rest/v1/a%2Fb", "/rest/v1/%zz"}) {
      const auto answer = get(path);
      CHECK(answer.status == 404);
      CHECK(field(answer, "code") == "PGRST125");
    }
  }

  TEST_CASE_FIXTURE(rest_world, "the root describes what there is for the asker") {
    reply = rows(R"({"swagger":"2.0"})", 0);
    with.settings.net.public_url = "http://here:1";
    for (const auto* path : {"/rest/v1", "/rest/v1/"}) {
      const auto answer = get(path, {{"accept", "application/openapi+json"}});
      CHECK(answer.status == 200);
      CHECK(header(answer, "Content-Type") ==
            "application/openapi+json; charset=utf-8");
      CHECK(answer.body == reply.body);
      CHECK(read().action == rest_action::describe);
      CHECK(read().target == "http://here:1/rest/v1/");
      CHECK(read().who.role == db_role::authenticated);
    }
    CHECK(get("/rest/v1/").status == 200);
    CHECK(get("/rest/v1/", {{"accept", "text/csv"}}).status == 406);
    CHECK(get("/rest/v1/", {{"accept-profile", "auth"}}).status == 406);
    const auto written_to = send("POST", "/rest/v1/", "{}");
    CHECK(written_to.status == 405);
    CHECK(header(written_to, "Allow") == "GET, HEAD");
  }

  TEST_CASE_FIXTURE(rest_world, "a write can be tried: what was applied is told") {
    const auto answer = send("POST", "/rest/v1/messages", R"({"a":1})",
                             {{"prefer", "return=representation,tx=rollback"}});
    CHECK(written().prefer.undo == true);
    CHECK(header(answer, "Preference-Applied") == "return=representation, tx=rollback");
  }

  TEST_CASE_FIXTURE(rest_world, "a query that cannot be read is a 400") {
    const auto filter = get("/rest/v1/messages?id=nonsense.1");
    CHECK(filter.status == 400);
    CHECK(field(filter, "code") == "PGRST100");
    CHECK(get("/rest/v1/messages?id=%zz").status == 400);
    CHECK(field(get("/rest/v1/messages?author.id=eq.1"), "code") == "PGRST108");
    CHECK(get("/rest/v1/messages?limit=-1").status == 416);
    CHECK_FALSE(rest_reading.asked.has_value());
  }

  TEST_CASE_FIXTURE(rest_world, "what PostgreSQL says is handed on") {
    rest_reading.say = [](const auto&) -> result<rest_reply> {
      return refused(errc::invalid_input,
                     {"42703", "column messages.x does not exist", "", "a hint"});
    };
    const auto answer = get("/rest/v1/messages?x=eq.1");
    CHECK(answer.status == 400);
    CHECK(field(answer, "code") == "42703");
    CHECK(field(answer, "message") == "column messages.x does not exist");
    CHECK(field(answer, "hint") == "a hint");
  }

  TEST_CASE_FIXTURE(rest_world, "a denied privilege is 403 signed in and 401 as anon") {
    rest_reading.say = [](const auto&) -> result<rest_reply> {
      return refused(errc::forbidden, {"42501", "permission denied", "", ""});
    };
    CHECK(get("/rest/v1/messages").status == 403);
    CHECK(ask(as_anon("GET", "/rest/v1/messages")).status == 401);
  }

  TEST_CASE_FIXTURE(rest_world, "an unknown table is a 404") {
    rest_reading.say = [](const auto&) -> result<rest_reply> {
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
         {std::pair{errc::overloaded, 503}, std::pair{errc::unavailable, 503}}) {
      rest_reading.say = [&](const auto&) -> result<rest_reply> {
        return fail(code, "x");
      };
      const auto answer = get("/rest/v1/messages");
      CHECK(answer.status == status);
      CHECK_FALSE(header(answer, "Retry-After").empty());
    }
  }

  TEST_CASE_FIXTURE(rest_world, "an insert is a 201 with nothing, or with its rows") {
    reply = rows("", 1);
    const auto plain = send("POST", "/rest/v1/messages", R"({"a":1})");
    CHECK(plain.status == 201);
    CHECK(plain.body.empty());
    CHECK(header(plain, "Content-Type").empty());
    CHECK(header(plain, "Content-Range") == "*/*");
    CHECK(written().action == rest_action::insert);
    CHECK(written().body.keys == std::vector<std::string>{"a"});
    CHECK_FALSE(rest_reading.asked.has_value());
    reply = rows(R"([{"a":1}])", 1, 1);
    const auto full = send("POST", "/rest/v1/messages?select=a&columns=a,b", "[]",
                           {{"prefer", "return=representation,count=exact"}});
    CHECK(full.status == 201);
    CHECK(full.body == R"([{"a":1}])");
    CHECK(header(full, "Content-Type") == "application/json; charset=utf-8");
    CHECK(header(full, "Content-Range") == "*/1");
    CHECK(header(full, "Preference-Applied") == "return=representation, count=exact");
    CHECK(written().columns == std::vector<std::string>{"a", "b"});
  }

  TEST_CASE_FIXTURE(rest_world, "an upsert that only updated is a 200") {
    const auto merge = net::header_list{{"prefer", "resolution=merge-duplicates"}};
    reply = rows("", 2);
    reply.updated = 1;
    CHECK(send("POST", "/rest/v1/x?on_conflict=a", "{}", merge).status == 201);
    CHECK(written().on_conflict == std::vector<std::string>{"a"});
    reply.updated = 2;
    CHECK(send("POST", "/rest/v1/x", "{}", merge).status == 200);
    CHECK(send("POST", "/rest/v1/x", "{}", {{"prefer", "resolution=ignore-duplicates"}})
              .status == 201);
  }

  TEST_CASE_FIXTURE(rest_world, "updates and deletes are 204, or 200 with rows") {
    reply = rows("", 2, 2);
    const auto count = net::header_list{{"prefer", "count=exact"}};
    const auto update = send("PATCH", "/rest/v1/x?id=gt.1", "{}", count);
    CHECK(update.status == 204);
    CHECK(header(update, "Content-Range") == "0-1/2");
    CHECK(written().action == rest_action::update);
    const auto removal = send("DELETE", "/rest/v1/x?id=gt.1", "", count);
    CHECK(removal.status == 204);
    CHECK(header(removal, "Content-Range") == "*/2");
    CHECK(written().action == rest_action::remove);
    CHECK(send("DELETE", "/rest/v1/x", "", {{"prefer", "return=representation"}})
              .status == 200);
  }

  TEST_CASE_FIXTURE(rest_world, "headers-only says where the new row is") {
    reply = rows("", 1);
    reply.key = {{"id", "a/b c"}, {"my key", "1"}};
    const auto made =
        send("POST", "/rest/v1/x", "{}", {{"prefer", "return=headers-only"}});
    CHECK(header(made, "Location") == "/x?id=eq.a%2Fb%20c&my%20key=eq.1");
  }

  TEST_CASE_FIXTURE(rest_world, "bodies that are no JSON are refused at once") {
    for (const auto* body : {"", "{", "nonsense", "{} {}"}) {
      const auto answer = send("POST", "/rest/v1/x", body);
      CHECK(answer.status == 400);
      CHECK(field(answer, "code") == "PGRST102");
      CHECK(field(answer, "message") == "Empty or invalid json");
    }
    const auto typed =
        send("POST", "/rest/v1/x", "a\n1", {{"content-type", "text/csv"}});
    CHECK(field(typed, "message") == "Content-Type not acceptable: text/csv");
    CHECK_FALSE(rest_writing.asked.has_value());
  }

  TEST_CASE_FIXTURE(rest_world, "only the public schema is written to") {
    const auto answer =
        send("POST", "/rest/v1/users", "{}", {{"content-profile", "auth"}});
    CHECK(answer.status == 406);
    CHECK(field(answer, "code") == "PGRST106");
    CHECK(
        send("POST", "/rest/v1/users", "{}", {{"content-profile", "public"}}).status ==
        201);
  }

  TEST_CASE_FIXTURE(rest_world, "strict handling refuses what it does not know") {
    const auto answer =
        get("/rest/v1/x", {{"prefer", "handling=strict, count=some, odd"}});
    CHECK(answer.status == 400);
    CHECK(field(answer, "code") == "PGRST122");
    CHECK(field(answer, "details") == "Invalid preferences: count=some, odd");
    CHECK(get("/rest/v1/x", {{"prefer", "count=some, odd"}}).status == 200);
  }

  TEST_CASE_FIXTURE(rest_world, "a Range header narrows a read") {
    CHECK(header(get("/rest/v1/x?offset=1", {{"range", "0-4"}}), "Content-Range") ==
          "1-2/*");
    CHECK(read().what.limit == 4);
    CHECK(get("/rest/v1/x", {{"range", "4-1"}}).status == 416);
  }

  TEST_CASE_FIXTURE(rest_world, "methods that a path has not are named") {
    const auto put = send("PUT", "/rest/v1/messages", "{}");
    CHECK(put.status == 405);
    CHECK(field(put, "code") == "PGRST117");
    CHECK(header(put, "Allow") == "GET, HEAD, POST, PATCH, DELETE");
    const auto patch = send("PATCH", "/rest/v1/rpc/add", "{}");
    CHECK(patch.status == 405);
    CHECK(field(patch, "code") == "PGRST101");
    CHECK(send("POST", "/rest/v1/rpc/", "{}").status == 404);
    CHECK_FALSE(rest_writing.asked.has_value());
  }

  TEST_CASE_FIXTURE(rest_world,
                    "calls go by body or by query, and may have no result") {
    reply = rows("3", 1);
    const auto called = send("POST", "/rest/v1/rpc/add", R"({"a":1,"b":2})");
    CHECK(called.status == 200);
    CHECK(called.body == "3");
    CHECK(written().action == rest_action::call);
    CHECK(written().target == "add");
    CHECK(written().body.keys == std::vector<std::string>{"a", "b"});
    CHECK(get("/rest/v1/rpc/add?a=1&x=gt.2").status == 200);
    CHECK(read().arguments.size() == 1);
    CHECK(read().what.conditions.size() == 1);
    reply = rows("", 1);
    reply.nothing = true;
    const auto silent = send("POST", "/rest/v1/rpc/go");
    CHECK(silent.status == 204);
    CHECK(header(silent, "Content-Type").empty());
    CHECK(written().body.text == "{}");
  }

  TEST_CASE_FIXTURE(rest_world, "a function's status and headers win") {
    reply = rows("1", 1);
    reply.status = "418";
    reply.headers = R"([{"Cache-Control":"max-age=1"},{"content-type":"text/x"}])";
    const auto answer = send("POST", "/rest/v1/rpc/tea");
    CHECK(answer.status == 418);
    CHECK(header(answer, "Cache-Control") == "max-age=1");
    CHECK(header(answer, "Content-Type").empty());
    CHECK(header(answer, "content-type") == "text/x");
    reply.status = "x";
    CHECK(field(send("POST", "/rest/v1/rpc/tea"), "code") == "PGRST112");
    reply.status.clear();
    reply.headers = "{}";
    CHECK(send("POST", "/rest/v1/rpc/tea").status == 500);
  }

  TEST_CASE_FIXTURE(rest_world, "functions may read headers and cookies") {
    get("/rest/v1/x",
        {{"x-a", "q\"1"}, {"x-a", "2"}, {"x-bad", "\xff"}, {"cookie", "a=1; b=x=y;c"}});
    CHECK(read().headers.contains(R"("x-a":"q\"1")"));
    CHECK_FALSE(read().headers.contains(R"("2")"));
    CHECK_FALSE(read().headers.contains("x-bad"));
    CHECK_FALSE(read().headers.contains("cookie"));
    CHECK(read().cookies == R"({"a":"1","b":"x=y"})");
    CHECK(read().method == "GET");
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
    CHECK_FALSE(rest_reading.asked.has_value());
  }

} // TEST_SUITE
