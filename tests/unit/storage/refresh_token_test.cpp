#include "storage/refresh_token.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

namespace jessica::storage {
namespace {

[[nodiscard]] auth_session_id session() {
  return *auth_session_id::parse("0192f0c1-2b3c-7d4e-8f50-61728394a5b6");
}

} // namespace

TEST_SUITE("storage.refresh_token") {
  TEST_CASE("a token is 64 URL-safe characters and reads back as itself") {
    const auto token = refresh_token::make(session());
    const auto text = token.str();
    CHECK(text.size() == 64);
    CHECK(text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                 "0123456789-_") == std::string::npos);
    const auto read = refresh_token::parse(text);
    REQUIRE(read);
    CHECK(read->str() == text);
    CHECK(read->session() == session());
  }

  TEST_CASE("two tokens of a session share nothing but the session") {
    const auto one = refresh_token::make(session());
    const auto two = refresh_token::make(session());
    CHECK(one.str() != two.str());
    CHECK(one.hash() != two.hash());
    CHECK(one.session() == two.session());
  }

  TEST_CASE("what is no token is refused") {
    const auto good = refresh_token::make(session()).str();
    CHECK_FALSE(refresh_token::parse(""));
    CHECK_FALSE(refresh_token::parse("abc"));
    CHECK_FALSE(refresh_token::parse(good.substr(1)));
    CHECK_FALSE(refresh_token::parse(good + "A"));
    CHECK_FALSE(refresh_token::parse(std::string(64, '+')));
    CHECK_FALSE(refresh_token::parse(std::string(63, 'A') + "="));
    CHECK_FALSE(refresh_token::parse(std::string(64, '\0')));
    CHECK_FALSE(refresh_token::parse(std::string(64, ' ')));
  }

  TEST_CASE("the next token follows from a token and a salt, from nothing less") {
    const auto token = refresh_token::make(session());
    const auto salt = refresh_token::make_salt();
    const auto next = token.next(salt);
    CHECK(next.session() == session());
    CHECK(next.str() != token.str());
    CHECK(token.next(salt).str() == next.str());
    CHECK(token.next(refresh_token::make_salt()).str() != next.str());
    CHECK(refresh_token::make(session()).next(salt).str() != next.str());
  }

  TEST_CASE("known answers: HMAC-SHA256 of session and salt, SHA-256 of the text") {
    // 16 bytes of session, then 32 bytes of zero as the secret; computed apart.
    const auto token = refresh_token::parse(
        "AZLwwSs8fU6PUGFyg5SltgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    REQUIRE(token);
    CHECK(token->session() == session());
    CHECK(token->hash() ==
          "7c7f3e17ef6b4aa3dc02b084723d37fcc73f27fda2b9b37a8c8c71963754e4a3");
    CHECK(token->next("ab").str() ==
          "AZLwwSs8fU6PUGFyg5SltmFNqmlbSS1TRMM9KiBjxHg4MbJiNb4_ilTW27VWxUBV");
  }

  TEST_CASE("salts are 64 hex digits and never the same") {
    const auto salt = refresh_token::make_salt();
    CHECK(salt.size() == 64);
    CHECK(salt.find_first_not_of("0123456789abcdef") == std::string::npos);
    CHECK(salt != refresh_token::make_salt());
  }
}

} // namespace jessica::storage
