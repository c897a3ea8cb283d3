#include "wire/auth_json.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>

#include <string>

TEST_SUITE_BEGIN("wire.auth_json");

namespace jessica::wire {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

const auto policy = password_policy{};
constexpr auto id = "01890a5d-ac96-774b-bcce-b302099a8057";
constexpr auto created =
    timestamp{std::chrono::sys_days{std::chrono::year{2026} / 11 / 22}} + 13h + 53min +
    12s + 123'456us;

struct refused {
  std::string reason;
  std::string what;
  friend bool operator==(const refused&, const refused&) = default;
};

template <class T> [[nodiscard]] refused why(const result<T>& read) {
  REQUIRE_FALSE(read.has_value());
  return {read.error().reason, read.error().what};
}

[[nodiscard]] std::string sign_up_body(std::string_view email,
                                       std::string_view password) {
  return json::serialize(json::object{{"email", email}, {"password", password}});
}

[[nodiscard]] bool accepts_email(std::string_view email) {
  return read_sign_up(sign_up_body(email, "secret1"), policy).has_value();
}

[[nodiscard]] account sample() {
  auto who = account{};
  who.id = *user_id::parse(id);
  who.email = "a@b.c";
  who.app_metadata = R"({"provider":"email","providers":["email"]})";
  who.user_metadata = R"({"name":"Zoë"})";
  who.email_confirmed_at = created;
  who.last_sign_in_at = created + 1s;
  who.created_at = created;
  who.updated_at = created + 2s;
  return who;
}

[[nodiscard]] json::object parsed(std::string_view text) {
  return json::parse(text).as_object();
}

// --- sign-up -------------------------------------------------------------------------

TEST_CASE("the client's sign-up body is read, the address in lower case") {
  const auto read = read_sign_up(
      R"({"email":"Ann.O@Example.COM","password":"Secret1","data":{"name": "Ann"},"gotrue_meta_security":{},"code_challenge":null,"code_challenge_method":null})",
      policy);
  REQUIRE(read.has_value());
  CHECK(read->email == "ann.o@example.com");
  CHECK(read->password == "Secret1");
  CHECK(read->data == R"({"name":"Ann"})");
}

TEST_CASE("a sign-up without an address is anonymous") {
  for (const auto* body :
       {R"({"data":{},"gotrue_meta_security":{}})", "{}", R"({"email":null})",
        R"({"email":"","phone":""})", R"({"password":"x"})"}) {
    CAPTURE(body);
    const auto read = read_sign_up(body, policy);
    REQUIRE(read.has_value());
    CHECK_FALSE(read->email.has_value());
    CHECK(read->password.empty());
    CHECK(read->data == "{}");
  }
}

TEST_CASE("a sign-up with an address needs a password") {
  const auto expected =
      refused{"validation_failed", "Signup requires a valid password"};
  CHECK(why(read_sign_up(R"({"email":"a@b.c"})", policy)) == expected);
  CHECK(why(read_sign_up(R"({"email":"a@b.c","password":null})", policy)) == expected);
  CHECK(why(read_sign_up(sign_up_body("a@b.c", ""), policy)) == expected);
}

TEST_CASE("a password has at least the configured bytes and at most 72") {
  const auto with = [](std::size_t bytes, std::size_t least = 6) {
    return read_sign_up(sign_up_body("a@b.c", std::string(bytes, 'p')),
                        password_policy{.min_characters = least});
  };
  CHECK(with(6).has_value());
  CHECK(with(72).has_value());
  CHECK(why(with(5)) ==
        refused{"weak_password:length", "Password should be at least 6 characters."});
  CHECK(why(with(9, 10)) ==
        refused{"weak_password:length", "Password should be at least 10 characters."});
  CHECK(why(with(73)) ==
        refused{"validation_failed", "Password cannot be longer than 72 characters"});
}

TEST_CASE("addresses of the usual forms are accepted") {
  for (const auto* email :
       {"a@b.c", "a.b+c@sub.example.com", "A_B-C@x-y.org", "o'neil@example.com",
        "x!#$%&*/=?^`{|}~@e.de", "1@2.3", "user@localhost"}) {
    CAPTURE(email);
    CHECK(accepts_email(email));
  }
  CHECK(accepts_email("a@" + std::string(63, 'h') + ".com"));
}

TEST_CASE("other addresses have an invalid format") {
  for (const auto* email :
       {"a",       "@",       "a@",       "@b.c",    "a@b@c.d", "a b@c.d",
        "a@b c.d", "a@.c",    "a@b..c",   "a@b.",    "a@-b.c",  "a@b-.c",
        "a@b_c.d", "é@b.c",   "a@bé.c",   "a@b.c\n", " a@b.c",  "a@b.c ",
        "<a@b.c>", "a,b@c.d", "a\"b@c.d", "a(b)@c.d"}) {
    CAPTURE(email);
    CHECK(why(read_sign_up(sign_up_body(email, "secret1"), policy)) ==
          refused{"validation_failed",
                  "Unable to validate email address: invalid format"});
  }
  CHECK_FALSE(accepts_email("a@" + std::string(64, 'h') + ".com"));
}

TEST_CASE("an address has at most 255 bytes") {
  const auto host = std::string{"@example.com"};
  CHECK(accepts_email(std::string(255 - host.size(), 'a') + host));
  CHECK(why(read_sign_up(
            sign_up_body(std::string(256 - host.size(), 'a') + host, "secret1"),
            policy)) ==
        refused{"validation_failed", "An email address is too long (255)"});
}

TEST_CASE("a phone number is refused: there is no way to reach it") {
  const auto body = R"({"phone":"+123","password":"secret1"})";
  const auto sign_up = read_sign_up(body, policy);
  CHECK(why(sign_up) ==
        refused{"phone_provider_disabled", "Phone signups are disabled"});
  CHECK(sign_up.error().code == errc::invalid_input);
  const auto sign_in = read_password(body);
  CHECK(why(sign_in) ==
        refused{"phone_provider_disabled", "Phone logins are disabled"});
  CHECK(sign_in.error().code == errc::forbidden);
}

TEST_CASE("sign-up data is an object that fits a token and a jsonb column") {
  const auto with = [](const std::string& data) {
    return read_sign_up(R"({"email":"a@b.c","password":"secret1","data":)" + data + "}",
                        policy);
  };
  CHECK(with("null")->data == "{}");
  const auto of_bytes = [](std::size_t bytes) {
    return R"({"x":")" + std::string(bytes - 8, 'x') + "\"}";
  };
  CHECK(with(of_bytes(4096)).has_value());
  CHECK(why(with(of_bytes(4097))).reason == "validation_failed");
  for (const auto* data : {"[]", "\"x\"", "5", R"({"a":"\u0000"})", R"({"a":1e999})"}) {
    CAPTURE(data);
    CHECK(why(with(data)).reason == "validation_failed");
  }
}

TEST_CASE("a body that is no JSON object is bad_json for every reader") {
  for (const auto* body : {"", " ", "{", "[]", "null", "x=1", "{\"email\":\"\xff\"}"}) {
    CAPTURE(body);
    CHECK(why(read_sign_up(body, policy)).reason == "bad_json");
    CHECK(why(read_password(body)).reason == "bad_json");
    CHECK(why(read_refresh_token(body)).reason == "bad_json");
  }
  const auto deep = R"({"data":)" + std::string(100'000, '[') + "}";
  CHECK(why(read_sign_up(deep, policy)).reason == "bad_json");
}

TEST_CASE("a wrong type in any field is refused, and so is a NUL") {
  for (const auto* field : {"email", "password", "phone"}) {
    for (const auto* value : {"5", "true", "[]", "{}", "\"a\\u0000b\""}) {
      CAPTURE(field);
      CAPTURE(value);
      const auto body = R"({"email":"a@b.c","password":"secret1",")" +
                        std::string{field} + "\":" + value + "}";
      CHECK(why(read_sign_up(body, policy)).reason == "validation_failed");
      CHECK(why(read_password(body)).reason == "validation_failed");
    }
  }
}

// --- sign-in and refresh -------------------------------------------------------------

TEST_CASE("a sign-in body is read, the address in lower case") {
  const auto read =
      read_password(R"({"email":"A@B.C","password":"Pw","gotrue_meta_security":{}})");
  REQUIRE(read.has_value());
  CHECK(read->email == "a@b.c");
  CHECK(read->password == "Pw");
}

TEST_CASE("a sign-in needs an address; a missing password is simply wrong later") {
  CHECK(why(read_password(R"({"password":"x"})")) ==
        refused{"validation_failed", "missing email or phone"});
  CHECK(why(read_password(R"({"email":""})")).reason == "validation_failed");
  CHECK(read_password(R"({"email":"a@b.c"})")->password.empty());
}

TEST_CASE("an address or password no account can have is refused without a hash") {
  const auto long_password =
      read_password(sign_up_body("a@b.c", std::string(1025, 'p')));
  CHECK(why(long_password).reason == "invalid_credentials");
  CHECK(long_password.error().code == errc::unauthenticated);
  CHECK(why(read_password(sign_up_body(std::string(256, 'a'), "x"))).reason ==
        "invalid_credentials");
}

TEST_CASE("a refresh token is read; an empty or missing one is required") {
  CHECK(*read_refresh_token(R"({"refresh_token":"abc"})") == "abc");
  for (const auto* body :
       {"{}", R"({"refresh_token":null})", R"({"refresh_token":""})"}) {
    CAPTURE(body);
    CHECK(why(read_refresh_token(body)).reason == "refresh_token_required");
  }
  CHECK(why(read_refresh_token(R"({"refresh_token":5})")).reason ==
        "validation_failed");
}

// --- answers -------------------------------------------------------------------------

TEST_CASE("times are RFC 3339 in UTC with microseconds") {
  CHECK(rfc3339(created) == "2026-11-22T13:53:12.123456Z");
  CHECK(rfc3339(timestamp{}) == "1970-01-01T00:00:00.000000Z");
}

TEST_CASE("USER has exactly the documented fields") {
  const auto time = "2026-11-22T13:53:12.123456Z";
  const auto identity = json::object{{"identity_id", id},
                                     {"id", id},
                                     {"user_id", id},
                                     {"identity_data",
                                      {{"name", "Zoë"},
                                       {"sub", id},
                                       {"email", "a@b.c"},
                                       {"email_verified", true},
                                       {"phone_verified", false}}},
                                     {"provider", "email"},
                                     {"last_sign_in_at", "2026-11-22T13:53:13.123456Z"},
                                     {"created_at", time},
                                     {"updated_at", "2026-11-22T13:53:14.123456Z"},
                                     {"email", "a@b.c"}};
  const auto expected = json::object{
      {"id", id},
      {"aud", "authenticated"},
      {"role", "authenticated"},
      {"email", "a@b.c"},
      {"phone", ""},
      {"email_confirmed_at", time},
      {"confirmed_at", time},
      {"last_sign_in_at", "2026-11-22T13:53:13.123456Z"},
      {"app_metadata", {{"provider", "email"}, {"providers", json::array{"email"}}}},
      {"user_metadata", {{"name", "Zoë"}, {"email_verified", true}}},
      {"identities", json::array{identity}},
      {"created_at", time},
      {"updated_at", "2026-11-22T13:53:14.123456Z"},
      {"is_anonymous", false}};
  CHECK(parsed(user_json(sample())) == expected);
}

TEST_CASE("an anonymous USER has no address, identity or unset times") {
  auto who = account{};
  who.id = *user_id::parse(id);
  who.anonymous = true;
  const auto user = parsed(user_json(who));
  CHECK(user.at("email").as_string().empty());
  CHECK(user.at("is_anonymous").as_bool());
  CHECK(user.at("identities").as_array().empty());
  CHECK(user.at("app_metadata").as_object().empty());
  CHECK(user.at("user_metadata").as_object().empty());
  for (const auto* field :
       {"email_confirmed_at", "confirmed_at", "last_sign_in_at", "banned_until"})
    CHECK_FALSE(user.contains(field));
}

TEST_CASE("a banned user shows until when") {
  auto who = sample();
  who.banned_until = created;
  CHECK(parsed(user_json(who)).at("banned_until").as_string() ==
        "2026-11-22T13:53:12.123456Z");
}

TEST_CASE("user metadata says email_verified once the address is confirmed") {
  auto who = sample();
  CHECK(user_metadata_json(who) == R"({"name":"Zoë","email_verified":true})");
  who.user_metadata = R"({"email_verified":false})";
  CHECK(user_metadata_json(who) == R"({"email_verified":true})");
  who.email_confirmed_at.reset();
  who.user_metadata = R"({"a": 1})";
  CHECK(user_metadata_json(who) == R"({"a": 1})");
}

TEST_CASE("a sign-up cannot claim another address in its identity") {
  auto who = sample();
  who.user_metadata = R"({"sub":"x","email":"evil@x.y","phone_verified":true})";
  const auto user = parsed(user_json(who));
  const auto& data = user.at("identities").at(0).at("identity_data");
  CHECK(data.at("sub").as_string() == id);
  CHECK(data.at("email").as_string() == "a@b.c");
  CHECK_FALSE(data.at("phone_verified").as_bool());
}

TEST_CASE("SESSION has exactly the documented fields") {
  auto grant = session_grant{};
  grant.user = sample();
  grant.refresh_token = "refresh-token";
  const auto now = std::chrono::sys_seconds{1'800'000'000s};
  const auto session = parsed(session_json(grant, "a.b.c", now, 3600s));
  CHECK(session.size() == 6);
  CHECK(session.at("access_token").as_string() == "a.b.c");
  CHECK(session.at("token_type").as_string() == "bearer");
  CHECK(session.at("expires_in").as_int64() == 3600);
  CHECK(session.at("expires_at").as_int64() == 1'800'003'600);
  CHECK(session.at("refresh_token").as_string() == "refresh-token");
  CHECK(session.at("user") == parsed(user_json(grant.user)));
}

TEST_CASE("settings say what is switched on, and that no other provider is") {
  const auto settings = parsed(settings_json(false, true, true));
  CHECK(settings.at("disable_signup").as_bool());
  CHECK(settings.at("mailer_autoconfirm").as_bool());
  CHECK_FALSE(settings.at("phone_autoconfirm").as_bool());
  CHECK(settings.at("sms_provider").as_string().empty());
  CHECK_FALSE(settings.at("saml_enabled").as_bool());
  CHECK_FALSE(settings.at("passkeys_enabled").as_bool());
  for (const auto& provider : settings.at("external").as_object()) {
    CAPTURE(std::string{provider.key()});
    const auto on = provider.key() == "email" || provider.key() == "anonymous_users";
    CHECK(provider.value().as_bool() == on);
  }
  const auto other = parsed(settings_json(true, false, false));
  CHECK(other.at("mailer_autoconfirm") == false);
  CHECK_FALSE(other.at("disable_signup").as_bool());
  CHECK_FALSE(other.at("external").at("anonymous_users").as_bool());
}

} // namespace
} // namespace jessica::wire

TEST_SUITE_END();
