#include "wire/account_change_json.hpp"

#include <doctest/doctest.h>

#include <string>

namespace jessica::wire {
namespace {

[[nodiscard]] std::string why(std::string_view body) {
  const auto read = read_user_change(body, {});
  return read ? std::string{} : read.error().reason;
}

} // namespace

TEST_SUITE("wire.account_change_json") {
  TEST_CASE("all that a client may send is read") {
    const auto read = read_user_change(
        R"({"email":"New@Example.org","password":"secret2","current_password":"secret1",
            "nonce":"123456","data":{"a":null,"b":[1]},"code_challenge":null,
            "code_challenge_method":null,"channel":"sms"})",
        {});
    REQUIRE(read);
    CHECK(read->email == "new@example.org");
    CHECK(read->password == "secret2");
    CHECK(read->current_password == "secret1");
    CHECK(read->nonce == "123456");
    CHECK(read->data == R"({"a":null,"b":[1]})");
  }

  TEST_CASE("null and absent mean that it stays") {
    for (const auto* body :
         {"{}", R"({"email":null,"password":null,"data":null,"app_metadata":null})",
          R"({"email":"","phone":""})"}) {
      CAPTURE(body);
      const auto read = read_user_change(body, {});
      REQUIRE(read);
      CHECK(read->email.empty());
      CHECK(read->password.empty());
      CHECK(read->data == "{}");
    }
  }

  TEST_CASE("what cannot be is refused with its reason") {
    CHECK(why("") == "bad_json");
    CHECK(why("[]") == "bad_json");
    CHECK(why(R"({"email":"nobody"})") == "validation_failed");
    CHECK(why(R"({"email":7})") == "validation_failed");
    CHECK(why(R"({"data":[]})") == "validation_failed");
    CHECK(why(R"({"data":{"a":")" + std::string(5000, 'x') + R"("}})") ==
          "validation_failed");
    CHECK(why(R"({"password":""})") == "weak_password:length");
    CHECK(why(R"({"password":"12345"})") == "weak_password:length");
    CHECK(why(R"({"password":"secret\u00001"})") == "validation_failed");
    CHECK(why(R"({"phone":"+49"})") == "phone_provider_disabled");
    CHECK(why(R"({"app_metadata":{}})") == "app_metadata_refused");
  }
}

} // namespace jessica::wire
