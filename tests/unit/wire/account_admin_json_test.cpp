#include "wire/account_admin_json.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

#include <string>

namespace jessica::wire {
namespace {

using namespace std::chrono_literals;

template <class T> [[nodiscard]] std::string why(const result<T>& read) {
  return read ? std::string{} : read.error().reason;
}
[[nodiscard]] std::string refusal(std::string_view body) {
  return why(read_new_account(body, {}));
}

} // namespace

TEST_SUITE("wire.account_admin_json") {
  TEST_CASE("all fields of a new account are read") {
    const auto read = read_new_account(
        R"({"id":"01890a5d-ac96-774b-bcce-b302099a8057","email":"A@B.c",
            "password":"secret1","email_confirm":true,"phone_confirm":false,
            "user_metadata":{"a":1},"app_metadata":{"b":2},"role":"service_role",
            "ban_duration":"24h"})",
        {});
    REQUIRE(read);
    CHECK(read->id == user_id::parse("01890a5d-ac96-774b-bcce-b302099a8057"));
    CHECK(read->email == "a@b.c");
    CHECK(read->password == "secret1");
    CHECK(read->confirm_email);
    CHECK(read->user_metadata == R"({"a":1})");
    CHECK(read->app_metadata == R"({"b":2})");
    CHECK(read->role == "service_role");
    CHECK(read->ban == 24h);
  }

  TEST_CASE("what is absent stays") {
    const auto read = read_account_fields(R"({"email":null,"ban_duration":""})", {});
    REQUIRE(read);
    CHECK_FALSE(read->id);
    CHECK(read->email.empty());
    CHECK(read->role.empty());
    CHECK_FALSE(read->confirm_email);
    CHECK_FALSE(read->ban);
    CHECK(read->user_metadata == "{}");
  }

  TEST_CASE("what cannot be is refused with its reason") {
    CHECK(refusal("") == "bad_json");
    CHECK(refusal("{}") == "validation_failed");
    CHECK(refusal(R"({"phone":"+49"})") == "phone_provider_disabled");
    CHECK(refusal(R"({"email":"nobody"})") == "validation_failed");
    const auto with = [](std::string_view more) {
      return refusal(R"({"email":"a@b.c",)" + std::string{more} + '}');
    };
    CHECK(with(R"("x":1)").empty());
    CHECK(with(R"("password":"12345")") == "weak_password:length");
    CHECK(with(R"("password":"secret1","password_hash":"$2b$x")") ==
          "validation_failed");
    CHECK(with(R"("id":"7")") == "validation_failed");
    CHECK(with(R"("id":"00000000-0000-0000-0000-000000000000")") ==
          "validation_failed");
    CHECK(with(R"("role":"postgres")") == "validation_failed");
    CHECK(with(R"("email_confirm":"perhaps")") == "validation_failed");
    CHECK(with(R"("app_metadata":[])") == "validation_failed");
    CHECK(with(R"("ban_duration":"a day")") == "validation_failed");
  }

  TEST_CASE("the length of a ban is read as others write it") {
    CHECK(read_ban("none") == 0ms);
    CHECK(read_ban("0") == 0ms);
    CHECK(read_ban("24h") == 24h);
    CHECK(read_ban("1.5h") == 90min);
    CHECK(read_ban(".5s") == 500ms);
    CHECK(read_ban("1h2m3s4ms") == 1h + 2min + 3s + 4ms);
    CHECK(read_ban("876000h") == 876000h);
    CHECK(read_ban("1000000us") == 1s);
    CHECK(read_ban("1000000\u00b5s") == 1s);
    CHECK(read_ban("2000000ns") == 2ms);
    for (const auto* bad : {"", "h", "24", "24 h", "-1h", "1d", "1e3h", "nanh", "infh",
                            "1h2", "None", "99999999999999h", "0x10h"}) {
      CAPTURE(bad);
      CHECK(why(read_ban(bad)) == "validation_failed");
    }
  }

  TEST_CASE("deleting is hard unless it says softly") {
    CHECK(read_soft_delete("") == false);
    CHECK(read_soft_delete("{}") == false);
    CHECK(read_soft_delete(R"({"should_soft_delete":true})") == true);
    CHECK(read_soft_delete(R"({"should_soft_delete":null})") == false);
    CHECK(why(read_soft_delete("{")) == "bad_json");
    CHECK(why(read_soft_delete(R"({"should_soft_delete":7})")) == "validation_failed");
  }

  TEST_CASE("pages count from one, and no page is endless") {
    const auto check = [](std::string_view page, std::string_view per_page,
                          std::int64_t expected_page, std::int64_t expected_size) {
      const auto read = read_page(page, per_page);
      REQUIRE(read);
      CHECK(read->page == expected_page);
      CHECK(read->per_page == expected_size);
    };
    check("", "", 1, 50);
    check("3", "7", 3, 7);
    check("0", "0", 1, 50);
    check("1000000000", "1000000000", 1'000'000'000, 1000);
    for (const auto* bad :
         {"x", "-1", "1.5", "1 ", "9999999999", "99999999999999999999"}) {
      CHECK(why(read_page(bad, "")) == "validation_failed");
      CHECK(why(read_page("", bad)) == "validation_failed");
    }
  }

  TEST_CASE("links say the next page while there is one, and always the last") {
    const auto path = "/auth/v1/admin/users";
    CHECK(page_links(path, {1, 5}, 18) ==
          "</auth/v1/admin/users?page=2&per_page=5>; rel=\"next\", "
          "</auth/v1/admin/users?page=4&per_page=5>; rel=\"last\"");
    CHECK(page_links(path, {4, 5}, 18) ==
          "</auth/v1/admin/users?page=4&per_page=5>; rel=\"last\"");
    CHECK(page_links(path, {1, 50}, 0) ==
          "</auth/v1/admin/users?page=0&per_page=50>; rel=\"last\"");
  }

  TEST_CASE("a page of accounts is one JSON document") {
    auto page = account_page{};
    CHECK(accounts_json(page) == R"({"users":[],"aud":"authenticated"})");
    page.accounts.resize(2);
    page.accounts[1].email = "a@b.c";
    page.accounts[1].role = "service_role";
    page.accounts[1].deleted_at = timestamp{};
    const auto parsed = boost::json::parse(accounts_json(page)).as_object();
    const auto& users = parsed.at("users").as_array();
    REQUIRE(users.size() == 2);
    CHECK(users[1].at("email") == "a@b.c");
    CHECK(users[1].at("role") == "service_role");
    CHECK(users[1].at("deleted_at") == "1970-01-01T00:00:00.000000Z");
  }
}

} // namespace jessica::wire
