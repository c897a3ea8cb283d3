#include "wire/mail_json.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace jessica;
using namespace jessica::wire;

namespace {

template <class T> [[nodiscard]] std::string why(const result<T>& read) {
  return read ? std::string{} : read.error().reason;
}

const auto challenge = std::string(43, 'a');

[[nodiscard]] std::string with_challenge(std::string_view text,
                                         std::string_view method) {
  return R"({"email":"a@b.test","code_challenge":")" + std::string{text} +
         R"(","code_challenge_method":")" + std::string{method} + R"("})";
}

} // namespace

TEST_SUITE("wire.mail_json") {
  TEST_CASE("a wish to sign in has an address, data, and may create") {
    const auto read =
        read_otp(R"({"email":"Ada@B.test","data":{"a":1},"create_user":false,
      "gotrue_meta_security":{},"code_challenge":null,"code_challenge_method":null})");
    REQUIRE(read);
    CHECK(read->email == "ada@b.test");
    CHECK(read->data == R"({"a":1})");
    CHECK_FALSE(read->create_user);
    CHECK_FALSE(read->pkce);
    CHECK(read_otp(R"({"email":"a@b.test"})")->create_user);
  }

  TEST_CASE("every body must be an object with one good address") {
    for (const auto* bad : {"", "{", "[]", "null", "7"}) {
      CAPTURE(bad);
      CHECK_FALSE(why(read_otp(bad)).empty());
      CHECK_FALSE(why(read_recover(bad)).empty());
      CHECK_FALSE(why(read_resend(bad)).empty());
      CHECK_FALSE(why(read_invite(bad)).empty());
      CHECK_FALSE(why(read_verify(bad)).empty());
      CHECK_FALSE(why(read_pkce(bad)).empty());
    }
    for (const auto* bad :
         {R"({})", R"({"email":""})", R"({"email":"nobody"})", R"({"email":7})",
          R"({"email":"a@b.test\r\nBcc: c@d.test"})",
          R"({"email":"a@b.test","phone":"1"})"}) {
      CAPTURE(bad);
      CHECK(why(read_otp(bad)) == "validation_failed");
      CHECK(why(read_recover(bad)) == "validation_failed");
    }
    CHECK(why(read_otp(R"({"phone":"+1"})")) == "phone_provider_disabled");
    CHECK(read_otp(R"({"phone":"+1"})").error().code == errc::forbidden);
    CHECK(read_resend(R"({"type":"sms","phone":"+1"})").error().code ==
          errc::invalid_input);
    CHECK(why(read_otp(R"({"email":"a@b.test","data":[1]})")) == "validation_failed");
    CHECK(why(read_otp(R"({"email":"a@b.test","create_user":7})")) ==
          "validation_failed");
  }

  TEST_CASE("a challenge comes with its method, in RFC 7636's letters and lengths") {
    const auto hashed = read_otp(with_challenge(challenge, "S256"));
    REQUIRE(hashed);
    CHECK(hashed->pkce->hashed);
    CHECK(hashed->pkce->text == challenge);
    CHECK_FALSE(read_recover(with_challenge(challenge, "plain"))->pkce->hashed);
    CHECK(why(read_recover(with_challenge(challenge, ""))) == "validation_failed");
    CHECK(why(read_recover(with_challenge("", "s256"))) == "validation_failed");
    CHECK(why(read_recover(with_challenge(challenge, "md5"))) == "validation_failed");
    CHECK(why(read_recover(with_challenge(std::string(42, 'a'), "s256"))) ==
          "validation_failed");
    CHECK(why(read_recover(with_challenge(std::string(129, 'a'), "s256"))) ==
          "validation_failed");
    CHECK(why(read_recover(with_challenge(challenge + "+", "s256"))) ==
          "validation_failed");
    CHECK(read_challenge(R"({"password":"x"})").value() == std::nullopt);
  }

  TEST_CASE("resend knows what can be sent again") {
    CHECK_FALSE(read_resend(R"({"type":"signup","email":"a@b.test"})")->change);
    CHECK(read_resend(R"({"type":"email_change","email":"a@b.test"})")->change);
    for (const auto* bad :
         {R"({"email":"a@b.test"})", R"({"type":"recovery","email":"a@b.test"})",
          R"({"type":"sms","email":"a@b.test"})", R"({"type":"signup"})"})
      CHECK(why(read_resend(bad)) == "validation_failed");
  }

  TEST_CASE("a code comes with its address, a token hash alone") {
    const auto code =
        read_verify(R"({"type":"magiclink","token":"123456","email":"A@b.test"})");
    REQUIRE(code);
    CHECK(code->type == verify_type::magiclink);
    CHECK(code->email == "a@b.test");
    CHECK(code->secret == "123456");
    const auto hash = read_verify(R"({"type":"email_change","token_hash":"ab"})");
    REQUIRE(hash);
    CHECK(hash->type == verify_type::email_change);
    CHECK(hash->email.empty());
    CHECK(hash->secret == "ab");
  }

  TEST_CASE("what verifies nothing is refused") {
    for (const auto* bad :
         {R"({"type":"signup"})", R"({"token":"1","email":"a@b.test"})",
          R"({"type":"signup","token":"1"})",
          R"({"type":"signup","token":"1","token_hash":"2"})",
          R"({"type":"signup","token_hash":"2","email":"a@b.test"})",
          R"({"type":"planet","token_hash":"2"})",
          R"({"type":"reauthentication","token_hash":"2"})",
          R"({"type":"signup","token":"1","email":"a@b.test","phone":"1"})",
          R"({"type":"signup","token":7,"email":"a@b.test"})"})
      CHECK_MESSAGE(why(read_verify(bad)) == "validation_failed", bad);
    CHECK(why(read_verify(R"({"type":"sms","token":"1","phone":"+1"})")) ==
          "otp_expired");
    CHECK(read_link("x", "signup")->secret == "x");
    CHECK(why(read_link("", "signup")) == "validation_failed");
    CHECK(why(read_link("x", "")) == "validation_failed");
    CHECK(why(read_link("x", "sms")) == "validation_failed");
  }

  TEST_CASE("an exchange needs code and verifier") {
    const auto read = read_pkce(R"({"auth_code":"c","code_verifier":"v"})");
    REQUIRE(read);
    CHECK(read->auth_code == "c");
    CHECK(read->code_verifier == "v");
    for (const auto* bad : {R"({})", R"({"auth_code":"c"})", R"({"code_verifier":"v"})",
                            R"({"auth_code":"","code_verifier":"v"})"})
      CHECK(why(read_pkce(bad)) == "validation_failed");
  }

  TEST_CASE("an invitation has an address and data") {
    const auto read = read_invite(R"({"email":"A@b.test","data":{"team":"blue"}})");
    REQUIRE(read);
    CHECK(read->email == "a@b.test");
    CHECK(read->data == R"({"team":"blue"})");
    CHECK(why(read_invite(R"({"email":""})")) == "validation_failed");
  }
}
