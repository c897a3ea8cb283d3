#include "route_world.hpp"

#include <doctest/doctest.h>

namespace {

using namespace jessica;
using test::field;
using test::header;

struct admin_world : test::route_world {
  const std::string one = "/auth/v1/admin/users/" + grant.user.id.str();

  net::http_response call(std::string method, std::string_view path,
                          std::string body = {}) {
    auto what = bare(std::move(method), path, std::move(body));
    what.headers = {{"apikey", "sb_secret_test"},
                    {"authorization", "Bearer sb_secret_test"},
                    {"x-supabase-api-version", "2024-01-01"}};
    return ask(std::move(what));
  }
  result<account> user() const { return grant.user; }
};

void check_refusal(const net::http_response& answer, int status,
                   std::string_view code) {
  CHECK(answer.status == status);
  CHECK(field(answer, "code") == code);
}

} // namespace

TEST_SUITE("net.routes_auth_admin") {
  TEST_CASE_FIXTURE(admin_world, "only the service role may") {
    for (const auto& [method, path] :
         std::initializer_list<std::pair<const char*, std::string>>{
             {"GET", "/auth/v1/admin/users"},
             {"POST", "/auth/v1/admin/users"},
             {"GET", one},
             {"PUT", one},
             {"DELETE", one}}) {
      CAPTURE(path);
      for (const auto& answer :
           {ask(as_anon(method, path, "{}")), ask(as_user(method, path, "{}"))}) {
        CHECK(answer.status == 403);
        CHECK(field(answer, "error_code") == "not_admin");
        CHECK(field(answer, "msg") == "User not allowed");
      }
    }
    CHECK_FALSE(creating.asked);
    CHECK_FALSE(deleting.asked);
  }

  TEST_CASE_FIXTURE(admin_world, "an account is made as described") {
    creating.say = [this](const auto&) { return user(); };
    const auto answer =
        call("POST", "/auth/v1/admin/users",
             R"({"email":"A@b.c","password_hash":"$2b$","email_confirm":true})");
    CHECK(answer.status == 200);
    CHECK(field(answer, "id") == grant.user.id.str());
    CHECK(creating.asked.value().fields.email == "a@b.c");
    CHECK(creating.asked->fields.password_hash == "$2b$");
    CHECK(creating.asked->fields.confirm_email);
    check_refusal(call("POST", "/auth/v1/admin/users", "{}"), 400, "validation_failed");
    creating.say = [](const auto&) -> result<account> {
      return fail(errc::conflict, "", "email_exists");
    };
    check_refusal(call("POST", "/auth/v1/admin/users", R"({"email":"a@b.c"})"), 422,
                  "email_exists");
  }

  TEST_CASE_FIXTURE(admin_world, "a list says how many there are and where to go on") {
    listing.say = [this](const auto&) -> result<account_page> {
      return account_page{{grant.user}, 18};
    };
    const auto answer = call("GET", "/auth/v1/admin/users?page=2&per_page=5");
    CHECK(answer.status == 200);
    CHECK(answer.body.starts_with(R"({"users":[{"id":)"));
    CHECK(header(answer, "X-Total-Count") == "18");
    CHECK(header(answer, "Link") ==
          "</auth/v1/admin/users?page=3&per_page=5>; rel=\"next\", "
          "</auth/v1/admin/users?page=4&per_page=5>; rel=\"last\"");
    CHECK(listing.asked.value().which.page == 2);
    CHECK(listing.asked->which.per_page == 5);
    CHECK(call("GET", "/auth/v1/admin/users?page=&per_page=").status == 200);
    CHECK(listing.asked->which.per_page == 50);
    check_refusal(call("GET", "/auth/v1/admin/users?page=x"), 400, "validation_failed");
  }

  TEST_CASE_FIXTURE(admin_world, "one account is shown, changed and deleted") {
    showing.say = [this](const auto&) { return user(); };
    administering.say = [this](const auto&) { return user(); };
    deleting.say = [](const auto&) -> result<actors::done> { return actors::done{}; };
    CHECK(field(call("GET", one), "id") == grant.user.id.str());
    CHECK(call("PUT", one, R"({"ban_duration":"24h"})").status == 200);
    CHECK(administering.asked.value().user == grant.user.id);
    CHECK(administering.asked->fields.ban == std::chrono::hours{24});
    const auto gone = call("DELETE", one, R"({"should_soft_delete":true})");
    CHECK(gone.status == 200);
    CHECK(gone.body == "{}");
    CHECK(deleting.asked.value().softly);
    CHECK(call("DELETE", one).status == 200);
    CHECK_FALSE(deleting.asked->softly);
  }

  TEST_CASE_FIXTURE(admin_world, "who is not there is a 404") {
    showing.say = [](const auto&) -> result<account> {
      return fail(errc::not_found, "", "user_not_found");
    };
    const auto answer = call("GET", one);
    check_refusal(answer, 404, "user_not_found");
    CHECK(field(answer, "message") == "User not found");
    for (const auto* method : {"GET", "PUT", "DELETE"})
      check_refusal(call(method, "/auth/v1/admin/users/7", "{}"), 404,
                    "validation_failed");
  }
}
